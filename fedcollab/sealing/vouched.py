"""Decides whether a key for a room is a person's own: where the room is TLP:RED, it is signed by the key that is pinned for them.

Their node makes both, so it could lie at first sight of the person's key; later it cannot put another key in that one's place unseen. A
person whose key has changed and was not confirmed is handed nothing until somebody has compared its words (pinned.py)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from fedcollab.actors import service as actors
from fedcollab.base.canonical import canonical
from fedcollab.base.errors import BadRequest
from fedcollab.base.session import Session

from . import people, texts
from .casekeys import CaseKey, Member
from .pairs import SIGNATURE, PersonPrivate
from .reading import members

PURPOSE = "room key 1"


class Vouch(NamedTuple):
    """Which key of a person has signed that a room's key is theirs, and the signature (64 bytes)."""

    kid: str
    signature: bytes

    def document(self) -> dict[str, Any]:
        """As it goes beside the key."""
        return {"kid": self.kid, "signature": texts.written(self.signature)}


def vouch(person: PersonPrivate, room: str, kid: str) -> Vouch:
    """A person says that the key `kid` is theirs in this room."""
    return Vouch(person.public.kid, person.sign(PURPOSE, _statement(room, kid)))


def parse(document: object) -> Vouch | None:
    """What stands beside a key; None where nothing does. Raises BadRequest for anything that `Vouch.document` would not have written."""
    if document is None:
        return None
    if not isinstance(document, Mapping):
        raise BadRequest(reason="sealing: nobody's word for a key")
    said = members(document, {"kid", "signature"})
    return Vouch(texts.named(said["kid"]), texts.read(said["signature"], SIGNATURE, SIGNATURE))


def is_theirs(session: Session, room: str, person_uri: str, kid: str, by: Vouch | None) -> bool:
    """Whether a person has said so with a key that they have or had, and has one in use: an unconfirmed change stops all."""
    found = actors.by_uri(session, person_uri)
    if found is None or by is None or people.current(session, found.id) is None:
        return False
    signer = next((key.public for key in people.listed(session, found.id) if key.kid == by.kid), None)
    return signer is not None and signer.signed(by.signature, PURPOSE, _statement(room, kid))


def stopped(session: Session, key: CaseKey, known: Mapping[str, Vouch | None]) -> list[Member]:
    """The people of a list to whom nothing may be sealed now; `known` says by each key's name who has vouched for it."""
    by_name = (member for member in key.members if member.person)
    return [one for one in by_name if not is_theirs(session, key.room, one.person, one.mk, known.get(one.mk))]


def _statement(room: str, kid: str) -> bytes:
    return canonical({"room": room, "mk": kid})
