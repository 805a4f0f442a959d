"""Gives the tests of people's keys a node with a key ring, its people, and what a browser of theirs has."""

from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from fedcollab.access.models import AuditEntry
from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.crypto import stored
from fedcollab.base.passwords import Made, Tried
from fedcollab.base.session import Session
from fedcollab.features.members import service, sessions
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import profiles
from fedcollab.sealing import keepers, people, state, unlocked
from fedcollab.sealing.pairs import PersonPrivate
from fedcollab.sealing.ring import Ring
from fedcollab.sealing.ring_models import RingModel
from tests.rows import Hands, home, node, quick_keys

BEFORE = "the form before"


def made(word: str) -> Made:
    """A password as one run of Argon2id gives it, without the run."""
    return Made(f"form of {word}", stored(word).encode()[:32])


def right(word: str) -> Tried:
    return Tried(good=True, unlock=made(word).unlock)


@dataclass
class Persons:
    """A node where cases are on, and its people: ilse is its admin; passwords are single words."""

    session: Session
    at: Node
    clock: Hands
    ids: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, *roles: str) -> str:
        with quick_keys():
            found = service.add_member(
                self.session,
                self.at,
                None,
                username=name,
                name=name.title(),
                roles=list(roles or ("member",)),
                password_hash=made(name).hashed,
            )
        self.ids[name] = found.person_id
        return found.person_id

    def viewer(self, name: str, *roles: str) -> Viewer:
        return Viewer("home", self.ids[name], frozenset(roles or ("member",)), name.title())

    def login(self, name: str, word: str = "") -> str:
        """The cookie of a browser in which somebody has typed their password (their name, to begin with)."""
        word = word or name
        return sessions.sign_in(self.session, self.at, self.ids[name], made(word).hashed, "a browser", right(word))

    def keeper(self, name: str, by: str = "") -> Viewer:
        """Somebody who has typed their password and holds the organisation's key: the first one makes it, `by` another one it is handed."""
        key = self.held(self.login(name))[0]
        keepers.name(self.session, self.at, self.viewer(by) if by else self.viewer("ilse", "admin"), self.ids[name])
        if by:
            keepers.hand(self.session, self.at, self.viewer(by), self.held(self.login(by))[0], self.ids[name], key.public.kid)
        else:
            keepers.begin(self.session, self.at, self.viewer(name))
        return self.viewer(name, "keeper")

    def held(self, token: str) -> list[PersonPrivate]:
        with self.at.ring.look() as ring:
            return unlocked.held(ring, token)

    def kids(self, token: str) -> set[str]:
        return {private.public.kid for private in self.held(token)}

    def current(self, name: str) -> str:
        """The kid of somebody's key in use; empty for none."""
        found = people.current(self.session, self.ids[name])
        return found.kid if found else ""

    def states(self, name: str) -> list[str]:
        """Of all of somebody's keys, the newest first."""
        return [key.state for key in people.listed(self.session, self.ids[name])]

    def said(self, name: str) -> Any:
        """What somebody's document says of their key."""
        return (profiles.stored_document(self.session, self.ids[name]) or {}).get(ap.PERSON_KEY)

    def rows(self, table: str) -> int:
        """How many rows a table of the key ring has."""
        with self.at.ring.look() as ring:
            return ring.execute(sa.select(sa.func.count()).select_from(RingModel.metadata.tables[table])).scalar_one()

    def acts(self) -> list[str]:
        """What is on record of keys, in order."""
        found = sa.select(AuditEntry.action).where(AuditEntry.action.startswith("key.")).order_by(AuditEntry.seq)
        return list(self.session.scalars(found))


def persons(session: Session, ring: Ring, *names: str, on: bool = True) -> Persons:
    clock = Hands()
    found = Persons(session, replace(node(clock), ring=ring), clock)
    profiles.document(session, found.at, home(session, found.at))
    found.add("ilse", "admin", "member")
    for name in names:
        found.add(name)
    if on:
        state.turn_on(session, found.at, found.ids["ilse"])
    return found
