"""Decides how the members of sealed documents are read: exactly the names that are known, each of one type and within its limits."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fedcollab.base.errors import BadRequest

URI = 2000  # letters
NUMBER = 2**53 - 1
AROUND = ("@context", "type", "proof")  # what stands around our members on the wire; neither hash nor signature counts it
NO_LETTER = re.compile(r"[\x00- \x7f\ud800-\udfff]")  # in an id; by the thousand, wherever a case is opened
T = TypeVar("T")


def members(document: object, needed: set[str], may: frozenset[str] = frozenset()) -> Mapping[str, Any]:
    """The members of a document, without what stands around them. Raises BadRequest where one is missing or not known: what we
    don't understand, we don't act upon."""
    if not isinstance(document, Mapping):
        raise BadRequest(reason="sealing: no object")
    found = {name: value for name, value in document.items() if name not in AROUND}
    if not needed <= found.keys() <= needed | may:
        raise BadRequest(reason="sealing: a member is missing, or one is not known")
    return found


def uri(value: object) -> str:
    """The id of an actor, a room or a message."""
    if not isinstance(value, str) or not value.startswith(("https://", "http://")) or len(value) > URI or NO_LETTER.search(value):
        raise BadRequest(reason="sealing: no id")
    return value


def number(value: object, most: int = NUMBER) -> int:
    """A whole number from 1."""
    if type(value) is not int or not 1 <= value <= most:
        raise BadRequest(reason="sealing: no number within its limits")
    return value


def one_of(value: object, known: tuple[Any, ...]) -> Any:
    """A value that is known; `1.0` and `true` are not `1`."""
    if not any(type(value) is type(one) and value == one for one in known):
        raise BadRequest(reason="sealing: a value that is not known")
    return value


def several(value: object, most: int, read: Callable[[Any], T]) -> tuple[T, ...]:
    """A list of different ones."""
    if not isinstance(value, list) or len(value) > most:
        raise BadRequest(reason="sealing: no list within its limits")
    found = tuple(map(read, value))
    if len(set(found)) != len(found):
        raise BadRequest(reason="sealing: one stands twice in a list")
    return found
