"""Measures search over a million posts and a hundred thousand resources, also for who is inside 5 of 200 groups: milliseconds of the
database for a page of hits, and for the facets beside it; on SQLite, and on PostgreSQL where its programs are there."""

import itertools
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from deploy._dev.tools import POSTGRES
from fedcollab.access.models import CLEAR, GREEN, Audience, AudienceMember
from fedcollab.access.viewer import ANYBODY, Viewer
from fedcollab.actors.models import Actor
from fedcollab.base.clock import MINUTE, new_id
from fedcollab.base.database import Database, open_database, run_sync
from fedcollab.base.model import Model
from fedcollab.base.session import Session
from fedcollab.search import finding, index, store
from fedcollab.search.finding import Asked, find
from fedcollab.search.index import Entry
from fedcollab.search.models import SearchEntry
from fedcollab.serve import collect_from_now_on
from tests import postgresql

from .table import Row

POSTS, RESOURCES = 1_000_000, 100_000
GROUPS, FEW = 200, 5
WORDS, A_POST = 60_000, 50  # how many words there are, and in a post
AT_ONCE = 5000
START, EACH = 1_500_000_000_000_000, 3 * MINUTE
ASKED = 100  # questions of each kind
SYLLABLES = ("ta", "ke", "mi", "so", "ru", "na", "lo", "pe", "di", "va", "shi", "ko", "be", "ga", "ren", "tor", "mal", "fin", "est", "ou")
TOPICS, COUNTRIES, LANGUAGES = [f"Topic{n}" for n in range(30)], [f"C{chr(65 + n)}" for n in range(20)], ["en", "fr", "es", "ar", "th"]
PAGE, FACETS = 10.0, 30.0  # milliseconds
HELD = ("a rare", "a medium", "a common", "the library")  # questions with a target; phrases and the like inform


@dataclass(frozen=True)
class Stock:
    """A database that is full, and who looks: of an organisation inside all groups, of one inside five, nobody."""

    database: Database
    words: list[str]
    viewers: dict[str, Viewer]


def measure(root: Path, posts: int = POSTS, resources: int = RESOURCES) -> Iterator[Row]:
    yield from _measure(f"sqlite:///{root / 'finding.db'}", posts, resources)
    programs = os.environ.get(POSTGRES.variable) or POSTGRES.find()
    if programs is None:
        print("without PostgreSQL, whose programs are not here", file=sys.stderr, flush=True)
        return
    os.environ[POSTGRES.variable] = programs
    with postgresql.server(root) as make:
        yield from (replace(row, name=f"PostgreSQL: {row.name}") for row in _measure(make("finding"), posts, resources))


def _measure(url: str, posts: int, resources: int) -> Iterator[Row]:
    began = time.monotonic()
    stock = fill(url, posts, resources)
    collect_from_now_on()  # as a node does, whose rounds leave out what was loaded at the start
    try:
        yield Row(f"{posts + resources} things put in: seconds", time.monotonic() - began, "s")
        yield Row("its database", run_sync(stock.database, _size, write=False) / 1e6, "MB")
        yield from _questions(stock)
        yield from _putting(stock)
    finally:
        stock.database.close()


def _size(session: Session) -> float:
    if store.is_postgres(session):
        return float(session.execute(sa.text("SELECT pg_database_size(current_database())")).scalar_one())
    return float(session.execute(sa.text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")).scalar_one())


def vocabulary() -> list[str]:
    """Words, the most frequent first."""
    chance = random.Random(7)
    made: dict[str, None] = {}
    while len(made) < WORDS:
        made["".join(chance.choices(SYLLABLES, k=chance.randint(1, 4)))] = None
    return list(made)


def fill(url: str, posts: int, resources: int) -> Stock:
    """Puts everything in, many at once: what it costs one by one is measured apart."""
    database, words = open_database(url), vocabulary()
    Model.metadata.create_all(database.engine)
    organisations, audiences = run_sync(database, _groups)
    made = _things(words, audiences, organisations, posts, resources)
    while batch := list(itertools.islice(made, AT_ONCE)):
        run_sync(database, lambda session, batch=batch: _put(session, batch))
    if database.engine.dialect.name == "postgresql":
        with database.engine.connect() as connection:  # as its autovacuum does meanwhile on a node that fills over years
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE")
    few, every = organisations[:2]
    viewers = {f"inside {FEW} of {GROUPS}": Viewer(few, "p"), f"inside all {GROUPS}": Viewer(every, "p"), "nobody": ANYBODY}
    return Stock(database, words, viewers)


def _groups(session: Session) -> tuple[list[str], list[str]]:
    """Forty organisations; groups that the first is inside five of, and the second inside all."""
    organisations = [new_id() for _ in range(40)]
    audiences = []
    for at, row_id in enumerate(organisations):
        session.execute(sa.insert(Actor).values(_actor(row_id, "Organization", f"Organisation {at}", row_id)))
    for at in range(GROUPS):
        group, audience, owner = new_id(), new_id(), organisations[2 + at % 38]
        session.execute(sa.insert(Actor).values(_actor(group, "Group", f"Group {at}", owner)))
        session.execute(sa.insert(Audience).values(id=audience, label=GREEN, owner_id=owner, group_id=group, history=at % 2 == 0))
        inside = [owner, organisations[1], *([organisations[0]] if at % (GROUPS // FEW) == 7 else [])]
        session.execute(sa.insert(AudienceMember), [dict(audience_id=audience, organisation_id=one, since=0) for one in inside])
        audiences.append(audience)
    return organisations, audiences


def _actor(row_id: str, kind: str, name: str, owner: str) -> dict[str, Any]:
    names = dict(uri=row_id, username=row_id, name=name, host="x.example", inbox="", known="partner", organisation_id=owner)
    return dict(id=row_id, kind=kind, created_at=START, updated_at=START, **names)


def _things(words: list[str], audiences: list[str], organisations: list[str], posts: int, resources: int) -> Iterator[Entry]:
    """Posts with a resource now and then, oldest first; few groups have most of them, as in life."""
    chance = random.Random(11)
    weights = list(itertools.accumulate(1 / (n + 1) for n in range(WORDS)))
    busy = list(itertools.accumulate(1 / (n + 1) ** 0.7 for n in range(GROUPS)))
    every = max(1, posts // resources) if resources else posts + 1
    for at in range(posts + resources):
        where = chance.choices(range(GROUPS), cum_weights=busy)[0]
        text = " ".join(chance.choices(words, cum_weights=weights, k=A_POST))
        label, row_id, moment = CLEAR if chance.random() < 0.03 else GREEN, f"{at:036d}", START + at * EACH
        shared = dict(audience_id=audiences[where], label=label, organisation_id=organisations[where % 40], posted_at=moment)
        language = LANGUAGES[at % 5 if chance.random() < 0.3 else 0]
        if resources and at % (every + 1) == every:
            codes = dict(topics=tuple(chance.sample(TOPICS, 2)), countries=(chance.choice(COUNTRIES),), year=2000 + at % 26, type="Guide")
            yield Entry("resource", row_id, path="/r", title=text[:60], text=text, language=language, **codes, **shared)
        else:
            yield Entry("post", row_id, path="/p", text=text, language=language, **shared)


def _put(session: Session, entries: list[Entry]) -> None:
    rows = []
    for entry in entries:
        place = index._slot(entry.posted_at)  # in order, a second or more apart: every place is free
        rows.append(index._row(entry, place))
        title, text = entry.title.split(), entry.text.split()
        store.add(session, place, title, text, index._marks(entry), entry.title, entry.text)
    session.execute(sa.insert(SearchEntry), rows)


def _questions(stock: Stock) -> Iterator[Row]:
    words, chance = stock.words, random.Random(3)
    kinds: dict[str, Callable[[], Asked]] = {
        "a rare word": lambda: Asked(words[chance.randint(40_000, 59_999)]),
        "a medium word": lambda: Asked(words[chance.randint(800, 2000)]),
        "a common word": lambda: Asked(words[chance.randint(0, 10)]),
        "two words": lambda: Asked(f"{words[chance.randint(0, 50)]} {words[chance.randint(100, 3000)]}"),
        "a phrase": lambda: Asked(f'"{words[chance.randint(5, 200)]} {words[chance.randint(5, 200)]}"'),
        "a word, in resources of a topic": lambda: Asked(
            words[chance.randint(0, 200)], kinds=("resource",), topics=(chance.choice(TOPICS),)
        ),
        "the library, a topic and a country": lambda: Asked(kinds=("resource",), topics=("Topic3",), countries=("CB", "CC")),
        "the library, nothing chosen": lambda: Asked(kinds=("resource",)),
    }
    for name, ask in kinds.items():
        for who, viewer in stock.viewers.items():
            pages, whole = _timed(stock, viewer, [ask() for _ in range(ASKED)])
            page, facets = (PAGE, FACETS) if name.startswith(HELD) else (None, None)
            yield Row(f"{name}, {who}: a page", pages, "ms p99", target=page)
            yield Row(f"{name}, {who}: with facets", whole, "ms p99", target=facets)
    for name, begins in (("a beginning of four letters", 4), ("a beginning of six letters", 6)):
        asked = [Asked(words[chance.randint(0, 30_000)].ljust(begins, "a")[:begins] + "*") for _ in range(20)]
        yield Row(f"{name}, all {GROUPS}: with facets", _timed(stock, list(stock.viewers.values())[1], asked)[1], "ms p99")


def _timed(stock: Stock, viewer: Viewer, questions: list[Asked]) -> tuple[float, float]:
    """Milliseconds of processor time, system's and our own (and of PostgreSQL's process, which answers us alone), for the newest 21 hits
    alone, and for all that `find` does; of each the 99th of a hundred."""

    def run(session: Session) -> tuple[list[float], list[float]]:
        pages, whole, clock = [], [], _clock(session)
        find(session, viewer, questions[0])
        for asked in questions:
            began = clock()
            _page(session, viewer, asked)
            middle = clock()
            find(session, viewer, asked)
            pages.append((middle - began) * 1000)
            whole.append((clock() - middle) * 1000)
        return pages, whole

    return tuple(statistics.quantiles(times, n=100)[98] for times in run_sync(stock.database, run, write=False))  # type: ignore[return-value]  # of two lists


def _clock(session: Session) -> Callable[[], float]:
    """Seconds of processor time that went into the session's questions."""
    if not store.is_postgres(session):
        return time.thread_time
    theirs = ~session.execute(sa.text("SELECT pg_backend_pid()")).scalar_one() << 3 | 2  # the number that clock_getcpuclockid(3) gives
    return lambda: time.thread_time() + time.clock_gettime(theirs)


def _page(session: Session, viewer: Viewer, asked: Asked) -> None:
    question = finding.query.parse(asked.q)
    sets = [*finding._filters(asked), finding.sight.marks_of(session, viewer)]
    lines = finding._lines(session, viewer, store.ask(session, question, sets), most=finding.A_PAGE + 1)
    store.shown(session, [line.place for line in lines])


def _putting(stock: Stock) -> Iterator[Row]:
    """What one more post costs, in a unit of its own."""
    entries = list(_things(stock.words, *run_sync(stock.database, _known, write=False), 400, 0))
    times = []
    for at, entry in enumerate(entries):
        made = Entry(**{**entry.__dict__, "subject_id": f"n{at}", "posted_at": START + 10**16 + at * EACH})
        began = time.process_time()
        theirs = run_sync(stock.database, lambda session, made=made: _put_one(session, made))
        times.append((time.process_time() - began + theirs) * 1e6)
    yield Row("one more post put in, in a commit of its own, all told", statistics.mean(times), "CPU-us")


def _put_one(session: Session, entry: Entry) -> float:
    """Answers the seconds of PostgreSQL's process; on SQLite they are our own."""
    if not store.is_postgres(session):
        index.put(session, entry)
        return 0.0
    clock = _clock(session)
    before, ours = clock(), time.thread_time()
    index.put(session, entry)
    return clock() - before - (time.thread_time() - ours)


def _known(session: Session) -> tuple[list[str], list[str]]:
    return list(session.scalars(sa.select(Audience.id).order_by(Audience.id))), list(
        session.scalars(sa.select(Actor.id).order_by(Actor.id))
    )[:40]
