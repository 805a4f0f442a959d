"""Decides what a case key's document says: who is inside since when, what it follows, and a commitment to the key, which is not in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fedcollab.base.canonical import canonical
from fedcollab.base.errors import BadRequest

from .reading import members, number, one_of, several, uri
from .texts import name_of, named

VERSION = 1
OWNER, DEPUTY, MEMBER, GUEST = ROLES = ("owner", "deputy", "member", "guest")
MEMBERS, DEPUTIES, HEALED = 200, 10, 8  # the most of each
NEEDED = {"v", "room", "epoch", "from", "members", "deputies", "commit"}


@dataclass(frozen=True)
class Member:
    """Who is inside: an organisation, or where `person` is not empty one person of it. `mk` names the key to which theirs are boxed,
    `since` is the first epoch that they read."""

    organisation: str
    person: str
    role: str
    mk: str
    since: int

    def document(self) -> dict[str, Any]:
        person = {"person": self.person} if self.person else {}
        return {"organisation": self.organisation, "role": self.role, "mk": self.mk, "since": self.since} | person


@dataclass(frozen=True)
class CaseKey:
    """What one epoch of a room is. `prev` is the `ck` that it follows, empty for the first; `issuer` the organisation that says so (`from`
    on the wire); `heals` names the case keys of one epoch that it puts an end to."""

    room: str
    epoch: int
    prev: str
    issuer: str
    members: tuple[Member, ...]
    deputies: tuple[str, ...]
    commit: str
    heals: tuple[str, ...] = ()

    @cached_property
    def ck(self) -> str:
        """Its name: a hash of all it says."""
        return name_of(canonical(self.document()))

    def document(self) -> dict[str, Any]:
        """As it stands on the wire, without context, type and proof."""
        said: dict[str, Any] = {"v": VERSION, "room": self.room, "epoch": self.epoch, "from": self.issuer, "commit": self.commit}
        said |= {"members": [member.document() for member in self.members], "deputies": list(self.deputies)}
        return said | ({"prev": self.prev} if self.prev else {}) | ({"heals": list(self.heals)} if self.heals else {})


def parse(document: object) -> CaseKey:
    """A case key from its document. Raises BadRequest for anything that `CaseKey.document` would not have written: nothing may stand in it
    that its name does not cover."""
    said = members(document, NEEDED, frozenset({"prev", "heals"}))
    one_of(said["v"], (VERSION,))
    found = CaseKey(
        room=uri(said["room"]),
        epoch=number(said["epoch"]),
        prev=named(said["prev"]) if "prev" in said else "",
        issuer=uri(said["from"]),
        members=several(said["members"], MEMBERS, _member),
        deputies=several(said["deputies"], DEPUTIES, uri),
        commit=named(said["commit"]),
        heals=several(said["heals"], HEALED, named) if "heals" in said else (),
    )
    _check(found, said)
    return found


def _member(document: object) -> Member:
    said = members(document, {"organisation", "role", "mk", "since"}, frozenset({"person"}))
    person = uri(said["person"]) if "person" in said else ""
    return Member(uri(said["organisation"]), person, one_of(said["role"], ROLES), named(said["mk"]), number(said["since"]))


def _check(found: CaseKey, said: Mapping[str, Any]) -> None:
    """What has to fit together. Raises BadRequest."""
    inside = {member.organisation for member in found.members}
    owners = {member.organisation for member in found.members if member.role == OWNER}
    fits = {
        "the first epoch follows nothing, all others something": bool(found.prev) == (found.epoch > 1),
        "there is one owner": len(owners) == 1,
        "nobody stands twice in it": len({(member.organisation, member.person) for member in found.members}) == len(found.members),
        "nobody reads from an epoch that is still to come": all(member.since <= found.epoch for member in found.members),
        "deputies are inside": inside.issuperset(found.deputies),
        "the owner says so, or a deputy": found.issuer in owners.union(found.deputies),
        "what is healed are two at least, of one epoch before": len(found.heals) >= 2 and found.epoch > 1 if "heals" in said else True,
    }
    for rule, holds in fits.items():
        if not holds:
            raise BadRequest(reason=f"sealing: a case key in which it doesn't hold that {rule}")
