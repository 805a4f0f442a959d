"""Decides how what is stored already comes into the index, and how deleted words leave its pages: a little at a time, beside all else."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import HOUR
from fedcollab.base.database import Database
from fedcollab.base.session import Session
from fedcollab.base.statements import part

from . import index, names, state, store, words
from .index import Entry
from .models import SearchEntry, SearchGram, SearchState

WAYS = "words"  # the line that says by which way of making words the index was made
AT_ONCE, UNIT = 50, 0.03  # things, and seconds, that one unit takes at the most
EVERY, BETWEEN, AT_WORK = 60, 0.2, 5  # seconds: between looks, between units while there is work, while the node is being worked on
CLEARED_AFTER = 6 * HOUR  # deletions within it are cleared away together; what waits longest is gone a day later at the most
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stock:
    """What a feature has stored: `batch(session, below, number)` gives so many of its things, newest first, with keys below `below` (an
    empty one is above all), each with its entry, or None for what is not found."""

    name: str
    batch: Callable[[Session, str, int], list[tuple[str, Entry | None]]]


def _names(session: Session, below: str, number: int) -> list[tuple[str, Entry | None]]:
    query = sa.select(Actor).order_by(Actor.id.desc()).limit(number)
    rows = session.execute(query.where(Actor.id < below) if below else query).all()
    return [(actor.id, names.entry(session, actor)) for actor in rows]


NAMES = Stock("names", _names)


async def run(database: Database, node: Node, stocks: Sequence[Stock]) -> None:
    """Until cancelled: fills the index and clears it, in units that hold the writer for a moment."""
    while True:
        try:
            wait: float = AT_WORK
            if node.maintenance.state() is None:
                wait = BETWEEN if await database.write(step, node, stocks) else EVERY
        except Exception:
            log.exception("search")
            wait = EVERY
        await asyncio.sleep(wait)


def step(session: Session, node: Node, stocks: Sequence[Stock]) -> bool:
    """One unit's worth of work; False where there was none."""
    return fill(session, node, stocks) or clear(session, node)


def fill(session: Session, node: Node, stocks: Sequence[Stock]) -> bool:
    """Puts some of what is stored in; False where all of it is."""
    _renew(session, node)
    return any(_fill(session, node, stock) for stock in (NAMES, *stocks))


def _renew(session: Session, node: Node) -> None:
    """Where words were made in another way before, all are made anew, newest first, while what there is goes on being found."""
    way = f"{words.VERSION} {words.unicode_version()}"
    line = state.of(session, WAYS)
    if line is None or line.key != way:
        session.execute(sa.delete(SearchState).where(SearchState.name.like("stock %")))
        state.keep(session, WAYS, key=way, at=node.now(), done_at=node.now())


def _fill(session: Session, node: Node, stock: Stock) -> bool:
    """Puts some of a stock in, from where the last unit ended. False where all of it is in."""
    name = f"stock {stock.name}"
    line = state.of(session, name) or state.State(name, "", 0, node.now(), None)
    if line.done_at is not None:
        return False
    until, key, number = time.perf_counter() + UNIT, line.key, line.number
    rows = stock.batch(session, key, AT_ONCE)
    for row_key, entry in rows:
        key, number = row_key, number + 1
        if entry is not None:
            _put(session, entry)
        if time.perf_counter() > until:  # after one at least: where reading them alone takes longer, it still ends
            break
    state.keep(session, name, key=key, number=number, at=line.at, done_at=None if rows else node.now())
    return True


def _put(session: Session, entry: Entry) -> None:
    """One that can't be put in is on record and left out, so that it does not hold up all after it."""
    try:
        with part(session):
            index.put(session, entry)
    except (sa.exc.DataError, sa.exc.IntegrityError, ValueError) as error:
        log.warning("search.left_out", extra={"topic": f"{entry.kind} {entry.subject_id}", "reason": type(error).__name__})


def clear(session: Session, node: Node) -> bool:
    """A step of clearing deleted words away, where some have waited long enough."""
    line = state.of(session, state.DELETED)
    if line is None or line.done_at is not None:
        return False
    if line.key == "":
        if node.now() - line.at < CLEARED_AFTER:
            return False
        store.begin_clearing(session)
        state.keep(session, state.DELETED, key=state.CLEARING, at=line.at)
    elif store.clear_away(session):
        again = line.key == state.AGAIN
        state.keep(session, state.DELETED, at=node.now() if again else line.at, done_at=None if again else node.now())
    return True


def clear_now(session: Session, node: Node, _stocks: Sequence[Stock] = ()) -> bool:
    """As `step` clears, without waiting; False once nothing is left to clear."""
    line = state.of(session, state.DELETED)
    if line is not None and line.done_at is None and line.key == "":
        state.keep(session, state.DELETED, at=line.at - CLEARED_AFTER)
    return clear(session, node)


def begin_anew(session: Session, node: Node) -> None:
    """Throws the index away; the steps after it make it anew."""
    store.empty(session)
    for model in (SearchEntry, SearchGram, SearchState):
        session.execute(sa.delete(model))
    _renew(session, node)


@dataclass(frozen=True)
class Filled:
    """How far the index has come: entries in it, what of the stocks is still being put in (names, how many are in) and since when, and
    since when deleted words wait to be cleared away."""

    entries: int
    waiting: tuple[tuple[str, int], ...]
    since: int | None
    deleted_since: int | None


def look(session: Session, stocks: Sequence[Stock]) -> Filled:
    """How things stand."""
    lines = {stock.name: state.of(session, f"stock {stock.name}") for stock in (NAMES, *stocks)}
    waiting = [(name, line.number if line else 0) for name, line in lines.items() if line is None or line.done_at is None]
    gone = state.of(session, state.DELETED)
    since = min((line.at for line in lines.values() if line is not None and line.done_at is None), default=None)
    return Filled(stored(session), tuple(waiting), since, gone.at if gone and gone.done_at is None else None)


def stored(session: Session) -> int:
    """How many entries there are."""
    return session.execute(sa.select(sa.func.count()).select_from(SearchEntry)).scalar_one()
