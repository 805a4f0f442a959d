"""Decides how a person is referred to another organisation from a case: to whom, what they see before they answer, what they get with their
yes, with which permission; then all of it once more, and sent. The share is recorded in the case before anything leaves.

Nothing is stored between the steps: what was typed goes along in the form."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from fedcollab.access.models import AMBER
from fedcollab.actors.node import Node
from fedcollab.base.clock import EPOCH
from fedcollab.base.errors import BadRequest, N_, NotFound, Refused
from fedcollab.features.cases import codes, desk, needs, permission
from fedcollab.features.cases.acting import Write
from fedcollab.features.cases.asked_sharing import ALL
from fedcollab.features.cases.checking import Wrong, checked
from fedcollab.features.cases.desk import Desk, Keys
from fedcollab.features.cases.forms import coded
from fedcollab.features.cases.grounds import PARTS
from fedcollab.features.cases.kinds import document
from fedcollab.features.cases.record import Entry, Opened
from fedcollab.features.cases.sharing import Share
from fedcollab.features.cases.shown import THERE, PersonShown
from fedcollab.features.referrals import preview, service, wire
from fedcollab.features.referrals.preview import Preview
from fedcollab.sealing import consents, rooms
from fedcollab.sealing.consents import Given

TO, FIRST, YES, GROUND, LOOK = STEPS = ("to", "first", "yes", "ground", "look")
SEEN_FIRST = ("reason", "support", "urgency", "age", "languages", "country", "region")
PERMISSION = {name: ask for name, ask in ALL["share"].fields.items() if name not in ("to", "to_name", "parts", "people")}
FIELDS: dict[str, tuple[str, ...]] = {TO: ("to",), FIRST: (*SEEN_FIRST, "deadline"), YES: ("take",), GROUND: tuple(PERMISSION)}
DAYS = 7  # proposed for the answer
CHOOSE = N_("Choose to whom you refer.")
Form = dict[str, list[str]]


class NotFromHere(Refused):
    text = N_(
        "From this case nobody is referred onward: it is for named people, or for these organisations’ own people only. Open a case of "
        "your own for what the person wants handed on."
    )


class Several(Wrong):
    """More than one field is not as it has to be: {name: what is wrong}."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(*next(iter(errors.items())))
        self.errors = errors


@dataclass(frozen=True, repr=False)
class Plan:
    """All that a referral says: to whom (row and id on the wire), by when, the preview, the share, and whose which parts go along."""

    to: str
    uri: str
    deadline: str
    preview: Preview
    share: Share
    taken: tuple[tuple[PersonShown, tuple[str, ...]], ...]


def check_from(open_desk: Desk) -> None:
    """Raises NotFromHere for a case whose label forbids it (P6, P7)."""
    if open_desk.opened.label != AMBER:
        raise NotFromHere


def first(form: Form, today: str) -> tuple[Preview, str]:
    """The preview's part that is seen first, and the day. Raises Wrong."""
    found, wrong = preview.typed({name: form.get(name, []) for name in SEEN_FIRST})
    errors = {name: wrong[name] for name in SEEN_FIRST if name in wrong}
    try:
        deadline = wire.day(next(iter(form.get("deadline", [])), ""))
        if deadline < today:
            errors["deadline"] = N_("This day has passed. Choose a later one.")
    except BadRequest:
        deadline = ""
        errors["deadline"] = N_("Choose the day by which you ask for an answer.")
    if errors:
        raise Several(errors)
    return found, deadline


def taken(open_desk: Desk, form: Form) -> tuple[tuple[PersonShown, tuple[str, ...]], ...]:
    """Of whom which parts go along: of those that the viewer may read. Raises Wrong."""
    wanted = set(form.get("take", []))
    found = []
    for person in open_desk.case.people:
        parts = tuple(part for part in readable(person) if f"{person.code}/{part}" in wanted)
        if parts or f"{person.code}/" in wanted:
            found.append((person, parts))
    if not found:
        raise Wrong("take", N_("Choose at least one person. Without one there is nobody to help."))
    return tuple(found)


def readable(person: PersonShown) -> list[str]:
    """The parts of a person's record that say something, to whoever looks; what is said of a suspect stays here."""
    there = {part.part for part in person.parts if part.state == THERE and part.entries}
    return [part for part in PARTS if part in there and part != "suspicion"]


def plan(session: Session, open_desk: Desk, form: Form) -> Plan:
    """The whole of it. Raises Wrong for the field that is not as it has to be, NoKey, NotFromHere."""
    check_from(open_desk)
    to = next(iter(form.get("to", [])), "")
    try:
        uri = service.check_recipient(session, to[:36])
    except NotFound:
        raise Wrong("to", CHOOSE) from None
    seen, deadline = first(form, open_desk.look.today)
    people = taken(open_desk, form)
    share = _share(open_desk, uri, people, form)
    shown = replace(seen, basis=share.basis, without=share.without, out_of=share.out_of, into=share.into, transfer=share.transfer)
    return Plan(to, uri, deadline, shown, share, people)


def _share(open_desk: Desk, uri: str, people: Sequence[tuple[PersonShown, tuple[str, ...]]], form: Form) -> Share:
    parts = tuple(part for part in PARTS if any(part in theirs for _, theirs in people))
    known: dict[str, Any] = dict(to=uri, to_name="", people=tuple(person.code for person, _ in people), parts=parts)
    said = coded(Share, {name: form.get(name, []) for name in PERMISSION})
    share = checked(Share, said, open_desk.look.now, **known)
    permission.check(share, open_desk.case)
    return share


def contents(open_desk: Desk, made: Plan) -> tuple[dict[str, Any], ...]:
    """What is sealed into the room that they get: opened under a fresh code, led by them; the people chosen with their parts, the share."""
    terms, now, today = open_desk.case.terms, open_desk.look.now, open_desk.look.today
    if terms is None:
        raise NotFound
    review = max(terms.review, today)
    days: dict[str, Any] = dict(review=review, retention=max(terms.retention, review))
    ground: dict[str, Any] = dict(purpose=made.share.why, basis=(made.share.basis,), condition=terms.condition, law=terms.law)
    entries: list[Entry] = [Opened(at=now, code=codes.fresh(), label=AMBER, lead=made.uri, **ground, **days)]
    for person, parts in made.taken:
        found = [part.entries[0] for part in person.parts if part.part in parts and part.entries]
        if person.entry is not None:
            entries += [replace(person.entry, at=now, replaces=()), *(replace(one, at=now, replaces=(), only=()) for one in found)]
    return tuple(document(entry) for entry in [*entries, made.share])


def send(session: Session, node: Node, open_desk: Desk, keys: Keys, form: Form, once: str) -> Write:
    """Records the share in the case, sends the referral, and names what ends with which consent, in one unit; the referral's row. Raises
    what `plan` raises: then nothing was recorded or sent."""
    if service.is_there(session, once):
        return lambda _session: once
    made, viewer = plan(session, open_desk, form), open_desk.viewer
    said = desk.saying(session, node, open_desk, made.share)
    what = service.HandOver(made.to, made.deadline, made.preview, contents(open_desk, made), open_desk.id, once=once)
    given = {one.item.id: one.entry for one in open_desk.case.in_force}

    def write(session: Session) -> str:
        desk.add(session, node, said)
        referral_id, room_id = service.offer(session, node, viewer, keys, what)
        needs.begin(session, node, viewer, room_id, [viewer.person_id])
        room = rooms.by_id(session, room_id).uri
        for of in made.share.consent:
            consent = given[of]
            if consent is not None:
                consents.given(session, node, viewer, Given(of, made.uri, room_id, consent.until, (room,)))
        return referral_id

    return write


def proposed_deadline(open_desk: Desk) -> str:
    """The day that the form begins with."""
    return (EPOCH + timedelta(microseconds=open_desk.look.now, days=DAYS)).date().isoformat()
