"""Shows that what PostgreSQL walks to is what all matches are, that a walk ends, and that it goes by the indexes that were made for it."""

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from fedcollab.access import policy
from fedcollab.access.models import CLEAR
from fedcollab.access.viewer import ANYBODY, Viewer
from fedcollab.base.database import open_database
from fedcollab.base.migrate import migrate
from fedcollab.base.session import Session
from fedcollab.search import finding, query, sight, store, walking
from tests.rows import START

from .conftest import _made, _postgres
from .rows import Place, person, place, put

pytestmark = pytest.mark.postgres
EACH = 30


@pytest.fixture
def session(postgres_url: str) -> Iterator[Session]:
    with _postgres(postgres_url) as made:
        yield made


def _written(session: Session) -> Place:
    """Public posts and those of two audiences in turn, of which every other has the word."""
    at = place(session)
    policy.admit(session, at.their_audience, at.ours, since=START)
    for n in range(EACH):
        word = "wells" if n % 2 else "wood"
        put(session, at, word, at=3 * n, label=CLEAR)
        put(session, at, word, at=3 * n + 1)
        put(session, at, word, at=3 * n + 2, audience_id=at.their_audience, organisation_id=at.theirs)
    return at


def _lines(session: Session, viewer: Viewer, most: int, before: int = finding.BEYOND) -> list[int]:
    match = store.ask(session, query.parse("wells"), [sight.marks_of(session, viewer)])
    return [line.place for line in finding._lines(session, viewer, match, before, most)]


@pytest.mark.parametrize("few", [0, sight.FEW])
def test_a_walk_finds_the_newest_of_all_there_is_and_goes_on_from_any_place(
    session: Session, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    at = _written(session)
    monkeypatch.setattr(sight, "FEW", few)
    for viewer in (ANYBODY, at.viewer, at.stranger, Viewer(at.ours)):
        monkeypatch.setattr(walking, "A_MATCH", 0.0)
        every = _lines(session, viewer, 1000)
        monkeypatch.setattr(walking, "A_MATCH", 1e9)
        assert len(every) >= EACH // 2
        assert _lines(session, viewer, 7) == every[:7]
        assert _lines(session, viewer, 7, before=every[3]) == every[4:11]


def test_a_walk_that_ends_before_the_page_is_full_gives_way_to_all_that_matches(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    at = _written(session)
    every = _lines(session, at.viewer, 1000)
    monkeypatch.setattr(walking, "A_MATCH", 1e9)
    monkeypatch.setattr(walking, "FURTHER", 0)
    monkeypatch.setattr(walking, "AT_LEAST", 3)
    assert _lines(session, at.viewer, 20) == every[:20]


def test_a_walk_merges_indexes_and_sorts_nothing(session: Session) -> None:
    at = _written(session)
    person(session, at.theirs, "Sokha Prak")
    walking.settle(session)
    audiences = sight.audiences_of(session, at.viewer)
    assert audiences is not None
    way, named = walking.Walk(len(audiences), members=True), {f"audience{n}": one for n, one in enumerate(audiences)}
    made = finding._lines_query(way).compile(dialect=postgresql.dialect(paramstyle="pyformat"))
    values = sight.asked_by(at.viewer) | {"match": "'wells'", "before": finding.BEYOND, "limit": 20, "bound": 50} | named
    rows = session.connection().exec_driver_sql(f"EXPLAIN {made}", made.construct_params(values)).scalars()
    plan = "\n".join(rows)
    assert "Merge Append" in plan
    for name in ("ix_search_entry_public", "ix_search_entry_inside", "ix_search_entry_names"):
        assert name in plan
    assert "Sort  (" not in plan


def test_a_word_that_everything_has_is_walked_to_and_a_rare_one_fetched(session: Session) -> None:
    at = place(session)
    for n in range(400):
        put(session, at, "wells rare" if n == 7 else "wells", at=n)
    session.execute(sa.text("ANALYZE search_words"))
    for viewer in (at.viewer, ANYBODY):
        seen = walking.Sight(sight.audiences_of(session, viewer), viewer.signed_in)
        marks = store.ask(session, query.Question(), [sight.marks_of(session, viewer)])
        assert walking.step(session, seen, "'rare'", marks, 20) is None
    assert walking.step(session, walking.Sight(None, members=True), "'wells'", "", 20) is not None


def _indexes(engine: sa.Engine) -> set[str]:
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT indexdef FROM pg_indexes WHERE indexname LIKE 'ix_search_%'"))
        return set(rows.scalars())


def test_the_migrations_make_the_same_indexes_as_a_fresh_database_has(postgres: Callable[[str], str], postgres_url: str) -> None:
    database = open_database(postgres("migrated"))
    try:
        migrate(database.engine)
        assert _indexes(database.engine) == _indexes(_made(postgres_url)) != set()
    finally:
        database.close()
