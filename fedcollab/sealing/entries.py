"""Decides what an entry is, how it stands in the content of a sealed message, and how it is read: exactly the members that its kind has.

An entry is what one sealed message says: small, never changed, of one kind. None shows its content by repr or str: nothing of it may come
into a title, an address, a log or a notification.

{"v": 1, "kind": "message", "at": 1790000000000000, "text": "..."}; a member that would be empty is left out.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar, NamedTuple, TypeVar

from fedcollab.base.errors import BadRequest

from .fields import Spec

VERSION = 1
LATEST = 2**53 - 1  # microseconds: the largest whole number that every JSON reader keeps
HEAD = ("v", "kind", "at")
Problem = tuple[str, str]  # the field, and in words what is wrong with it


@dataclass(frozen=True, repr=False, kw_only=True)
class Entry:
    """What every entry says: when its author wrote it, by the author's clock, in microseconds."""

    KIND: ClassVar[str] = ""
    at: int

    def problems(self) -> Iterator[Problem]:
        """What keeps it from being an entry though each field is well, none where it is one."""
        yield from ()


Kind = TypeVar("Kind", bound=Entry)


class Member(NamedTuple):
    """A field of an entry, as it is read."""

    name: str
    spec: Spec
    needed: bool


def _members(kind: type[Entry]) -> tuple[Member, ...]:
    return tuple(Member(one.name, one.metadata["spec"], one.metadata["needed"]) for one in fields(kind) if one.metadata)


# The fields of a kind of entry, less when it was written.
members: Callable[..., tuple[Member, ...]] = cache(_members)


def document(entry: Entry) -> dict[str, Any]:
    """An entry as it is sealed."""
    found: dict[str, Any] = {"v": VERSION, "kind": entry.KIND, "at": entry.at}
    for name, spec, _needed in members(type(entry)):
        if (value := getattr(entry, name)) != spec.empty:
            found[name] = spec.written(value)
    return found


def entry_in(content: object, kinds: Mapping[str, type[Kind]]) -> Kind:
    """The entry of one of these kinds in a content. Raises BadRequest, which tells nothing of it."""
    if not isinstance(content, Mapping) or type(content.get("v")) is not int or content["v"] != VERSION:
        raise BadRequest(reason="entry: no entry of this version")
    kind = kinds.get(name) if isinstance(name := content.get("kind"), str) else None
    if kind is None or type(at := content.get("at")) is not int or not 0 <= at <= LATEST:
        raise BadRequest(reason="entry: no entry of a known kind")
    return _read(kind, at, content)


def _read(kind: type[Kind], at: int, content: Mapping[str, Any]) -> Kind:
    found: dict[str, Any] = {}
    for name, spec, needed in members(kind):
        if name in content:
            found[name] = spec.read(content[name])
        elif needed:
            raise BadRequest(reason="entry: a member is missing")
    if len(found) + len(HEAD) != len(content):
        raise BadRequest(reason="entry: a member is not known")
    entry = kind(at=at, **found)
    if next(entry.problems(), None):
        raise BadRequest(reason="entry: the members do not go together")
    return entry


def is_newer(content: Mapping[str, Any], kinds: Mapping[str, type[Kind]]) -> bool:
    """Whether what could not be read says of itself that a later program wrote it."""
    version, kind = content.get("v"), content.get("kind")
    return type(version) is int and (version > VERSION or (version == VERSION and isinstance(kind, str) and kind not in kinds))
