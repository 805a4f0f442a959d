"""Decides who is looking: nobody, a member of ours, or a partner organisation; one type for pages, fetches and services."""

from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import web

ADMIN, MODERATOR, MEMBER = "admin", "moderator", "member"
KEEPER, CASEWORKER, TRIAGER, ANALYST = "keeper", "caseworker", "triager", "analyst"  # none of them opens anything by itself
GUEST = "guest"  # a person of an organisation without a node, on one case; no admin gives it, and none adds to it (features/guests)
GIVEN = (ADMIN, MODERATOR, MEMBER, CASEWORKER, TRIAGER, ANALYST)  # by admins; keepers are named by keepers (sealing/keepers.py)
ROLES = (*GIVEN, KEEPER, GUEST)
INSIDE = "inside"  # no role that anybody is given: whoever is on a sealed room has it


def all_roles(given: Iterable[str], *, keeper: bool, inside: bool) -> frozenset[str]:
    """The roles of somebody who was given these."""
    return frozenset(given) | ({KEEPER} if keeper else set()) | ({INSIDE} if inside else set())


@dataclass(frozen=True)
class Viewer:
    """`organisation_id` is the row id of the viewer's organisation; empty for who has not signed in, and for guests: inside no audience."""

    organisation_id: str = ""
    person_id: str = ""
    roles: frozenset[str] = frozenset()
    name: str = ""

    @property
    def signed_in(self) -> bool:
        return bool(self.person_id)

    @property
    def is_admin(self) -> bool:
        return ADMIN in self.roles

    @property
    def moderates(self) -> bool:
        return bool(self.roles & {ADMIN, MODERATOR})

    @property
    def is_guest(self) -> bool:
        """Whether they are no member of ours, but work one case with us."""
        return GUEST in self.roles

    @property
    def is_keeper(self) -> bool:
        """Whether they were named a keeper; whether they hold the organisation's key is another thing (sealing/keepers.py)."""
        return KEEPER in self.roles


ANYBODY = Viewer()
VIEWER = web.RequestKey("viewer", Viewer)


def partner(organisation_id: str) -> Viewer:
    """A partner organisation asking by signed GET, or about to be delivered to."""
    return Viewer(organisation_id=organisation_id)
