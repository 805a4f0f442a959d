"""Decides what is swept out of the key ring when a node starts: boxes that nothing in its database names, of units that failed after they
had written them, and what ended sessions had unlocked."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.session import Session

from .ring import LESS, LOCKED
from .ring_models import PersonSecret, RingModel, SheetBox, Unlocked, Wrap
from .wraps import PERSON, SHEETS

SESSION = "session:"
AT_ONCE = 500  # names in one statement
HELD: dict[str, tuple[type[RingModel], Any]] = {  # beside what lies in `wrap`
    PERSON: (PersonSecret, PersonSecret.kid),
    SHEETS: (SheetBox, SheetBox.rk),
    SESSION: (Unlocked, Unlocked.session_hash),
}


class Naming(NamedTuple):
    """One part's word on what is to stay: of the boxes whose names begin with `prefix` (`ck:`, `mk:`, `ok:`, `rk:`, `uk:`; `session:` for
    what is unlocked, by the session's hash) those that `named` answers, with the prefix. What no naming speaks of stays."""

    prefix: str
    named: Callable[[Session], Iterable[str]]


def sweep(session: Session, node: Node, namings: Iterable[Naming]) -> int:
    """Deletes what nothing names; how many boxes that were. A unit that writes, so that none of another one is half there: it has put its
    boxes and not yet committed the rows that name them. Nothing is noted as destroyed, for nobody has had a use of it."""
    with node.ring.begin() as ring:
        return sum(_sweep(ring, naming, set(naming.named(session))) for naming in namings)


def _sweep(ring: sa.Connection, naming: Naming, named: set[str]) -> int:
    gone = 0
    if naming.prefix in HELD:
        model, column = HELD[naming.prefix]
        gone = _remove(ring, model, column, {name.removeprefix(naming.prefix) for name in named})
    return gone if naming.prefix == SESSION else gone + _remove(ring, Wrap, Wrap.of, named, naming.prefix)


def _remove(ring: sa.Connection, model: type[RingModel], column: Any, named: set[str], prefix: str = "") -> int:
    wanted = sa.select(column).where(column.startswith(prefix, autoescape=True)).distinct()
    spare = [value for value in ring.execute(wanted).scalars() if value not in named]
    gone = 0
    for at in range(0, len(spare), AT_ONCE):
        gone += ring.execute(sa.delete(model).where(column.in_(spare[at : at + AT_ONCE]))).rowcount
    if gone:
        ring.info[LOCKED if model is Unlocked else LESS] = True
    return gone
