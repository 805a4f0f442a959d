"""Decides what the pages of a case's people show: for each a code, a role and the rules for contact first; the parts of their record that
are for whoever looks, and of the others that they are there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from fedcollab.base.i18n import Words
from fedcollab.base.web import words_of
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing.consent_marks import of_entries

from . import contact_rules, lateness, needs
from .acting import desk_of
from .calling import everybody
from .contact_rules import CONTACT, Rules
from .desk import Desk
from .facts import Fact, facts
from .framing import CASE, CONSENTS, PEOPLE, show
from .grounds import METHODS, PARTS, PROGRESS, ROLES
from .handles import person_at
from .need_pages import colleagues
from .people import Part
from .shown import WITHHELD, PartShown, PersonShown, Shown
from .telling import UNREAD
from .words import SUPPORT

KIND_OF = {kind.PART: kind.KIND for kind in Part.__subclasses__()}
ORDER = (CONTACT, "identity", "where", "exploitation", "health")
SUSPICION = "suspicion"


@dataclass(frozen=True, repr=False)
class Stands:
    """An entry that stands in a part, as whoever looks may read it: its item, and what it says."""

    item: Shown
    facts: list[Fact]


@dataclass(frozen=True, repr=False)
class PartView:
    """A part of a person's record on their page: its code, the kind of entry that says it, what stands (several side by side where people
    wrote at once), why it is not to be read ("" where it is, or nothing is there), whether something else there is withheld, and the
    people of ours who know it."""

    name: str
    kind: str
    stands: list[Stands]
    state: str
    withheld: bool
    ask: list[str]


async def show_people(request: web.Request) -> web.Response:
    """The people of a case."""
    desk = await desk_of(request)
    rules = {one.code: one for one in contact_rules.rules(desk.case)}
    rows = [(person, rules.get(person.code)) for person in desk.case.people]
    return show(request, desk, "cases/people.html", PEOPLE, rows=rows, ROLES=ROLES, METHODS=METHODS)


async def show_person(request: web.Request) -> web.Response:
    """One of them."""
    desk = await desk_of(request)
    person = person_at(desk.case, desk.id, request.match_info["person"])
    known = await request.app[KERNEL].database.read(needs.everybody, desk.id)
    names = {one.person_id: one.name for one in desk.access.ours}
    ask = {part: [names[who] for who, parts in known.items() if who in names and _knows(parts, person, part)] for part in PARTS}
    return show(
        request,
        desk,
        "cases/person.html",
        PEOPLE,
        person=person,
        role_facts=facts(person.entry, everybody(desk), words_of(request)) if person.role == "Suspect" and person.entry else [],
        rules=_rules(desk, person),
        parts=list(parts(desk, person, ask, words_of(request))),
        plan=[work for work in desk.case.plan if work.entry and getattr(work.entry, "person", "") == person.code],
        consents=[one for one in desk.case.consents if one.entry and one.entry.person == person.code and one.how != "renewed"],
        today=desk.look.today,
        soon=lateness.soon(desk.look.now),
        METHODS=METHODS,
        ROLES=ROLES,
        PARTS=PARTS,
        colleagues=colleagues(desk, person.code, known),
        mine=[part for part in PARTS if desk.look.may_know(part, person.code, ())],
        SUPPORT=SUPPORT,
        PROGRESS=PROGRESS,
        UNREAD=UNREAD,
    )


def _knows(parts: frozenset[str], person: PersonShown, part: str) -> bool:
    return needs.covers(parts, f"{person.code}/{part}")


def _rules(desk: Desk, person: PersonShown) -> Rules | None:
    return next((one for one in contact_rules.rules(desk.case) if one.code == person.code), None)


def parts(desk: Desk, person: PersonShown, ask: dict[str, list[str]], words: Words) -> Iterator[PartView]:
    """The parts in their order, those that nothing was said in too; what is said of a suspect only of one, or where something is."""
    items = {shown.id: shown for shown in desk.case.timeline}
    there = {part.part: part for part in person.parts if part.part != SUSPICION}
    said = [part for part in person.parts if part.part == SUSPICION]
    for name in ORDER:
        yield _view(desk, name, [there[name]] if name in there else [], items, ask[name], words)
    if said or person.role == "Suspect":
        yield _view(desk, SUSPICION, said, items, ask[SUSPICION], words)


def _view(desk: Desk, name: str, found: list[PartShown], items: dict[str, Shown], ask: list[str], words: Words) -> PartView:
    shown = [items[of] for part in found for of in part.ids if of in items]
    stands = [Stands(item, facts(item.entry, everybody(desk), words)) for item in shown if item.entry is not None]
    withheld = any(item.state == WITHHELD for item in shown) or any(part.state == WITHHELD for part in found)
    state = "" if stands or not found else found[0].state
    return PartView(name, KIND_OF[name], stands, state, withheld, ask)


async def show_consents(request: web.Request) -> web.Response:
    """Who agreed to what, and what was shared on it, or without."""
    desk, reader = await desk_of(request), words_of(request)
    consents = [(one, facts(one.entry, everybody(desk), reader)) for one in desk.case.consents if one.entry]
    shares = [(one, facts(one.entry, everybody(desk), reader)) for one in desk.case.shares if one.entry]
    unread = [one.item for one in desk.case.consents if not one.entry] + [one.item for one in desk.case.shares if not one.entry]
    marks = await request.app[KERNEL].database.read(of_entries, [one.item.id for one in desk.case.consents])
    soon = lateness.soon(desk.look.now)
    ends = any(one.entry and one.entry.until <= soon for one in desk.case.in_force)
    first = sorted(consents, key=lambda one: one[0].entry.until if one[0].how == "given" and one[0].entry else "~")
    lists: dict[str, Any] = dict(consents=first, shares=shares[::-1], stands=marks, today=desk.look.today, soon=soon, ends=ends)
    return show(request, desk, "cases/consents.html", CONSENTS, unread=len(unread), **lists)


ROUTES = (
    web.get(CASE + "/people", show_people),
    web.get(CASE + "/people/{person}", show_person),
    web.get(CASE + "/consents", show_consents),
)
