"""Decides what an entry of a case sets in motion beyond it: what is shared on a consent can be stopped while nobody is unlocked, goes on
with a renewed one, and is stopped when the consent is withdrawn."""

import contextlib
from collections.abc import Collection, Iterable
from functools import partial

from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base import statements
from fedcollab.base.session import Session
from fedcollab.sealing import consents
from fedcollab.sealing.consents import NO_DAY, Given

from .handles import handle
from .mending import Correction
from .mentioning import people_of
from .people import Part
from .record import Entry
from .sharing import Consent, Share, Withdrawn
from .shown import Case, ConsentShown, Shown
from .work import File


def name(session: Session, node: Node, viewer: Viewer, room_id: str, case: Case, entry: Entry, uri: str) -> None:
    """Names what is about to be said of people on their consents that cover it, before it is sealed: so it ends with them, and where they
    have ended it does not go there at all."""
    said = _corrected(case, entry) if isinstance(entry, Correction) else entry
    for code in people_of(said) if said is not None and not isinstance(said, Share | Consent) else ():
        consents.named(session, node, viewer, (room_id, handle(room_id, code)), uri, partial(_covers, case, said))


def _corrected(case: Case, entry: Correction) -> Entry | None:
    return next((shown.entry for shown in case.timeline if shown.id == entry.of), None)


def _covers(case: Case, entry: Entry | None, of: str) -> bool:
    """Whether what rests on a ground, by its id, includes such an entry. One of another case (a room handed over as a whole) does."""
    for consent in case.consents:
        if consent.item.id == of:
            return consent.entry is not None and entry is not None and _is_of(consent.entry.parts, entry)
    for share in case.shares:
        if share.item.id == of.partition("#")[0]:
            named = share.entry.parts if share.entry is not None else ()
            return entry is not None and bool(named) and _is_of(named, entry)
    return True


def _is_of(parts: Collection[str], entry: Entry) -> bool:
    part = entry.PART if isinstance(entry, Part) else entry.part if isinstance(entry, File) else ""
    return not parts or part in parts


def follow(session: Session, node: Node, viewer: Viewer, room_id: str, case: Case, entry: Entry, uri: str, on_it: Collection[str]) -> None:
    """What follows of an entry (its id) that has just been added, in the same unit. `case` is how it stood before, `on_it` the
    organisations on the access list (ids on the wire): nobody else hears of it here."""
    there = {one.item.id: one for one in case.consents}
    if isinstance(entry, Share):
        for of in entry.consent:
            _give(session, node, viewer, room_id, case, there.get(of), on_it)
        if entry.without and entry.parts:
            _give_without(session, node, viewer, room_id, case, entry, uri, on_it)
    elif isinstance(entry, Withdrawn) and entry.of in there:
        with contextlib.suppress(consents.Overfull), statements.part(session):  # what was named ends, whatever else would be
            _give(session, node, viewer, room_id, case, there[entry.of], on_it)
        consents.withdrawn(session, node, viewer, *there[entry.of].chain)
    elif isinstance(entry, Consent) and entry.renews in there and there[entry.renews].how in ("given", "ended"):
        consents.carried_on(session, node, viewer, entry.renews, uri, entry.until)


def catch_up(session: Session, node: Node, viewer: Viewer, case: Case) -> None:
    """A withdrawal that somebody at another organisation has noted ends it with us when we read of it."""
    over = [consent.item.id for consent in case.consents if consent.how == "withdrawn"]
    if over:
        consents.withdrawn(session, node, viewer, *over)


def _give(
    session: Session, node: Node, viewer: Viewer, room_id: str, case: Case, consent: ConsentShown | None, on_it: Collection[str]
) -> None:
    """Names what of ours the recipient of a consent gets on it in this room: what is said of that person in the parts that it is for."""
    if consent is None or consent.entry is None:
        return
    entry = consent.entry
    things = _said(case, node.actor_uri, entry.person, entry.parts)
    to = _organisation(session, entry.to)
    if things and to in on_it and to != node.actor_uri:
        whose = handle(room_id, entry.person)
        consents.given(session, node, viewer, Given(consent.item.id, to, room_id, entry.until, things, whose))


def _give_without(
    session: Session, node: Node, viewer: Viewer, room_id: str, case: Case, share: Share, uri: str, on_it: Collection[str]
) -> None:
    """What is shared for a reason goes on when a consent for it ends, in the parts that it names."""
    to = _organisation(session, share.to)
    for code in share.people if to in on_it and to != node.actor_uri else ():
        things, whose = _said(case, node.actor_uri, code, share.parts), handle(room_id, code)
        if things:
            consents.given(session, node, viewer, Given(f"{uri}#{whose}", to, room_id, NO_DAY, things, whose))


def _organisation(session: Session, recipient: str) -> str:
    """The organisation of an organisation or a person that is known here, by its id on the wire."""
    to = actors.by_uri(session, recipient) if recipient else None
    return actors.by_id(session, to.organisation_id).uri if to is not None else ""


def _said(case: Case, organisation: str, code: str, parts: Collection[str]) -> tuple[str, ...]:
    """The entries of an organisation, with their corrections, that say something of a person in these parts; all of it where none is
    named."""
    ours = {item.id for item in case.timeline if item.organisation == organisation}
    found = set[str]()
    for person in case.people:
        for part in person.parts if person.code == code else ():
            if not parts or part.part in parts:
                found |= ours.intersection(part.versions)
    for shown in case.timeline:
        if _is_about(shown, code, parts):
            found |= ours.intersection(shown.versions)
    return tuple(sorted(found))


def _is_about(shown: Shown, code: str, parts: Collection[str]) -> bool:
    entry = shown.entry
    if entry is None:  # which whoever looks has no need to know
        return shown.person == code and (not parts or shown.part in parts)
    return not isinstance(entry, Share | Consent) and code in people_of(entry) and _is_of(parts, entry)


def things_of(room: str, people: Iterable[tuple[str, Iterable[str]]], code: str) -> tuple[str, ...]:
    """What somebody's consent is for where a room is given as a whole: the room, and in it what names them, as (message, its people)."""
    return (room, *(of for of, named in people if code in named))
