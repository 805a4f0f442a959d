"""Decides how a long list of a case is shown: 50 at a time, the newest first, so that a page renders only what it shows."""

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

EACH = 50
T = TypeVar("T")


class Slice(NamedTuple, Generic[T]):
    """Items, the newest first; `before` is where the older ones begin, 0 for none."""

    items: tuple[T, ...]
    before: int


def newest(found: Sequence[T], before: str) -> Slice[T]:
    """The newest items, or those before the one at this place counted from the beginning: what is added later moves none of them."""
    end = min(int(before), len(found)) if before.isascii() and before.isdigit() and len(before) < 9 else len(found)
    start = max(0, end - EACH)
    return Slice(tuple(reversed(found[start:end])), start)
