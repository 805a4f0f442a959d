"""Decides what an entry of a case sets in motion beyond it: what is shared on a consent can be stopped while nobody is unlocked, and is
stopped when the consent is withdrawn."""

from collections.abc import Collection, Iterable

from sqlalchemy.orm import Session

from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.sealing import consents
from fedcollab.sealing.consents import MOST, Given

from .record import Entry
from .sharing import Consent, Share, Withdrawn
from .shown import Case


def follow(session: Session, node: Node, viewer: Viewer, room_id: str, case: Case, entry: Entry, on_it: Collection[str]) -> None:
    """What follows of an entry that has just been added, in the same unit. `case` is how it stood before, `on_it` the organisations on the
    access list (ids on the wire): nobody else hears of it here."""
    if isinstance(entry, Share):
        for consent in entry.consent:
            _give(session, node, viewer, room_id, case, consent, on_it)
    elif isinstance(entry, Withdrawn):
        _give(session, node, viewer, room_id, case, entry.of, on_it)  # with what was written since it was given
        consents.withdrawn(session, node, viewer, entry.of)


def catch_up(session: Session, node: Node, viewer: Viewer, case: Case) -> None:
    """A withdrawal that somebody at another organisation has noted ends it with us when we read of it."""
    for consent in case.consents:
        if consent.how == "withdrawn":
            consents.withdrawn(session, node, viewer, consent.item.id)


def _give(session: Session, node: Node, viewer: Viewer, room_id: str, case: Case, of: str, on_it: Collection[str]) -> None:
    """Names what of ours the recipient of a consent gets on it in this room: what is said of that person in the parts that it is for."""
    consent = next((one.entry for one in case.consents if one.item.id == of), None)
    to = actors.by_uri(session, consent.to) if consent is not None and consent.to else None
    organisation = actors.by_id(session, to.organisation_id).uri if to is not None else ""
    if consent is None or organisation not in on_it or organisation == node.actor_uri:
        return
    things = tuple(sorted(_said(case, consent, node.actor_uri)))[:MOST]
    if things:
        consents.given(session, node, viewer, Given(of, organisation, room_id, consent.until, things))


def _said(case: Case, consent: Consent, organisation: str) -> Iterable[str]:
    """The entries of ours that say it."""
    ours = {item.id for item in case.timeline if item.organisation == organisation}
    for person in case.people:
        if person.code == consent.person:
            for part in person.parts:
                if not consent.parts or part.part in consent.parts:
                    yield from ours.intersection(part.versions)
