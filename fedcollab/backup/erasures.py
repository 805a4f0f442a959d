"""Decides what must not come back with an older backup: newer ones name what was deleted, disabled or blocked, and it is done again."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from fedcollab.actors.node import Node
from fedcollab.base import statements
from fedcollab.base.errors import Refused
from fedcollab.base.session import Session


class Part(NamedTuple):
    """One feature's: `listed` names what was taken away since a time, `replay` takes one of them away again. It raises Refused where that
    is done already, or nothing of it is there."""

    name: str
    listed: Callable[[Session, int], list[str]]
    replay: Callable[[Session, Node, str], None]


def listed(session: Session, parts: Sequence[Part], since: int) -> dict[str, list[str]]:
    """What was taken away since, by the name of its part."""
    return {part.name: part.listed(session, since) for part in parts}


def replay(session: Session, node: Node, parts: Sequence[Part], erased: Mapping[str, Sequence[str]]) -> int:
    """Takes it away again; how much was still there."""
    done = 0
    for part in parts:
        for name in erased.get(part.name, ()):
            with suppress(Refused), statements.part(session):
                part.replay(session, node, name)
                done += 1
    return done
