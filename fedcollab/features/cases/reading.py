"""Decides how an entry stands in the content of a sealed message, and how it is read: exactly the members that its kind has.

{"v": 1, "kind": "message", "at": 1790000000000000, "text": "..."}; a member that would be empty is left out.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any, NamedTuple

from fedcollab.base.errors import BadRequest

from .fields import Spec
from .record import LATEST, VERSION, Entry

HEAD = ("v", "kind", "at")


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


def entry_in(content: object, kinds: Mapping[str, type[Entry]]) -> Entry:
    """The entry of one of these kinds in a content. Raises BadRequest, which tells nothing of it."""
    if not isinstance(content, Mapping) or type(content.get("v")) is not int or content["v"] != VERSION:
        raise BadRequest(reason="case: no entry of this version")
    kind = kinds.get(name) if isinstance(name := content.get("kind"), str) else None
    if kind is None or type(at := content.get("at")) is not int or not 0 <= at <= LATEST:
        raise BadRequest(reason="case: no entry of a known kind")
    return _read(kind, at, content)


def _read(kind: type[Entry], at: int, content: Mapping[str, Any]) -> Entry:
    found: dict[str, Any] = {}
    for name, spec, needed in members(kind):
        if name in content:
            found[name] = spec.read(content[name])
        elif needed:
            raise BadRequest(reason="case: a member is missing")
    if len(found) + len(HEAD) != len(content):
        raise BadRequest(reason="case: a member is not known")
    entry = kind(at=at, **found)
    if next(entry.problems(), None):
        raise BadRequest(reason="case: the members do not go together")
    return entry
