"""Gives tests of keepers a node with a key ring, people with keys of their own, and acts as keepers do them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from fedcollab.access.viewer import ADMIN, MEMBER, Viewer
from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.features.members import service as members
from fedcollab.federation import profiles
from fedcollab.sealing import keepers, people, sheets, wraps
from fedcollab.sealing.pairs import PersonPrivate
from fedcollab.sealing.papers import Sheet
from fedcollab.sealing.ring import Ring
from tests.rows import Hands, home, memory, node, quick_keys

UNLOCK = b"u" * 32


@dataclass
class Office:
    """An organisation's node, its clock set by hand: its people by name, with their unlocked keys."""

    session: Session
    node: Node
    clock: Hands
    people: dict[str, Viewer] = field(default_factory=dict)
    keys: dict[str, PersonPrivate] = field(default_factory=dict)

    def join(self, name: str, *roles: str, key: bool = True) -> Viewer:
        """Somebody new, a moment later."""
        self.clock.at += 1
        with quick_keys():
            made = members.add_member(self.session, self.node, None, username=name, name=name.title(), roles=list(roles or (MEMBER,)))
        self.people[name] = Viewer("", made.person_id, frozenset(roles or (MEMBER,)), made.name)
        if key:
            self.new_key(name)
        return self.people[name]

    def new_key(self, name: str) -> None:
        with self.node.ring.begin() as ring:
            self.keys[name] = people.make(self.session, ring, self.node, self.people[name].person_id, UNLOCK)

    def begin(self) -> None:
        """Ilse, an admin, names herself and makes the organisation's key."""
        ilse = self.join("ilse", ADMIN, MEMBER)
        keepers.name(self.session, self.node, ilse, ilse.person_id)
        keepers.begin(self.session, self.node, ilse)

    def second(self, name: str = "ruth") -> Viewer:
        """A second keeper, named and handed the key by Ilse."""
        ruth = self.join(name)
        keepers.name(self.session, self.node, self.people["ilse"], ruth.person_id)
        keepers.hand(self.session, self.node, self.people["ilse"], self.keys["ilse"], ruth.person_id, self.kid(name))
        return ruth

    def print_sheets(self) -> tuple[Sheet, Sheet, Sheet]:
        before = sheets.state(self.session)
        made = sheets.make(self.session, self.node, self.people["ilse"], self.keys["ilse"], before.kid if before else "")
        sheets.end_old(self.session, self.node)
        return made

    def kid(self, name: str) -> str:
        """The name of somebody's own key."""
        return self.keys[name].public.kid

    def boxes_to(self, name: str) -> set[str]:
        """What is boxed to somebody's key, by its name."""
        with self.node.ring.look() as ring:
            return set(wraps.wraps_to(ring, self.keys[name].public.kid))


@contextmanager
def office(ring: Ring) -> Iterator[Office]:
    clock = Hands()
    at = replace(node(clock), ring=ring)
    with memory() as session:
        profiles.document(session, at, home(session, at))
        yield Office(session, at, clock)
