"""Shows that two units of PostgreSQL's that put something in at the same second, or the same thing, both end well, one after the other."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from fedcollab.base.clock import MICROSECONDS, new_id
from fedcollab.base.database import open_database
from fedcollab.base.model import Model
from fedcollab.base.session import Session
from fedcollab.search import filling, index
from fedcollab.search.index import Entry
from fedcollab.search.models import SearchEntry
from tests import rows
from tests.rows import START, organisation, session_on

from .conftest import _made


def _entry(ours: str) -> Entry:
    return Entry("post", new_id(), None, "TLP:GREEN", ours, START, "/x", text="at once")


def _put(session: Session, ours: str) -> None:
    index.put(session, _entry(ours))
    session.connection().commit()


@pytest.mark.postgres
def test_two_things_of_one_second_that_are_put_in_at_once_both_are_in(postgres_url: str) -> None:
    engine = _made(postgres_url)
    with session_on(engine) as before:
        ours = organisation(before, f"{new_id()}.example")
        before.connection().commit()
    with session_on(engine) as first, session_on(engine) as second:
        index.put(first, _entry(ours))
        other = threading.Thread(target=_put, args=(second, ours))
        other.start()
        other.join(0.3)
        assert other.is_alive(), "it waits for the place that the first one may take"
        first.connection().commit()
        other.join(10)
        places = set(first.scalars(sa.select(SearchEntry.place).where(SearchEntry.organisation_id == ours)))
        assert len(places) == 2
        first.execute(sa.delete(SearchEntry).where(SearchEntry.organisation_id == ours))
        first.execute(sa.text("DELETE FROM search_words"))
        first.connection().commit()


def _in_turn(url: str, before: Entry | None, first: Entry, second: Entry) -> list[tuple[str, str]]:
    """Two units put the same thing in at once, the second one has to wait for the first; what is in afterwards, with its words."""
    engine, raised = _made(url), list[Exception]()
    with session_on(engine) as one, session_on(engine) as other:
        if before is not None:
            index.put(one, before)
            one.connection().commit()

        def put() -> None:
            try:
                index.put(other, second)
                other.connection().commit()
            except sa.exc.SQLAlchemyError as error:
                raised.append(error)

        index.put(one, first)
        beside = threading.Thread(target=put)
        beside.start()
        beside.join(0.3)
        assert beside.is_alive(), "it waits for the first one"
        one.connection().commit()
        beside.join(10)
        assert raised == []
        mine = "SELECT e.path, w.body FROM search_entry e JOIN search_words w ON w.place = e.place WHERE e.subject_id = :id"
        found = [tuple(row) for row in one.execute(sa.text(mine), {"id": first.subject_id})]
        assert one.execute(sa.text("SELECT count(*) FROM search_words")).scalar_one() == len(found)
        one.execute(sa.delete(SearchEntry).where(SearchEntry.subject_id == first.subject_id))
        one.execute(sa.text("DELETE FROM search_words"))
        one.connection().commit()
        return found


@pytest.mark.postgres
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("moved", [0, 5 * MICROSECONDS])
def test_an_edit_and_the_filling_that_put_the_same_thing_in_at_once_leave_it_in_once_as_the_later_says(
    postgres_url: str, known: bool, moved: int
) -> None:
    with session_on(_made(postgres_url)) as session:
        ours = organisation(session, f"{new_id()}.example")
        session.connection().commit()
    before = _entry(ours)
    filled, edited = replace(before, path="/filled", text="old"), replace(before, path="/edited", text="new", posted_at=START + moved)
    assert _in_turn(postgres_url, before if known else None, filled, edited) == [("/edited", "new")]
    assert _in_turn(postgres_url, before if known else None, edited, filled) == [("/filled", "old")]


@pytest.mark.postgres
async def test_an_edit_in_one_process_and_the_filling_in_another_meet_and_the_edit_stands(postgres: Callable[[str], str]) -> None:
    url = postgres("meeting")
    here, there = open_database(url), open_database(url)
    try:
        Model.metadata.create_all(here.engine)
        ours = await here.write(lambda session: organisation(session, "ours.example"))
        things = [_entry(ours) for _ in range(40)]
        texts = {one.subject_id: "before" for one in things}

        def stored(session: Session, below: str, number: int) -> list[tuple[str, Entry | None]]:
            keys = sorted((one.subject_id for one in things if not below or one.subject_id < below), reverse=True)[:number]
            return [(key, replace(things[0], subject_id=key, text=texts[key])) for key in keys]

        def edit(session: Session, subject_id: str) -> None:
            index.put(session, replace(things[0], subject_id=subject_id, text="after"))
            texts[subject_id] = "after"  # the unit that follows reads it, as it would read a row

        node = rows.node(rows.Hands())

        async def fill() -> None:
            while await there.write(filling.fill, node, [filling.Stock("things", stored)]):
                pass

        await asyncio.gather(fill(), *(here.write(edit, one.subject_id) for one in things))
        bodies = "SELECT w.body FROM search_entry e JOIN search_words w ON w.place = e.place WHERE e.kind = 'post'"
        assert await here.read(lambda session: list(session.scalars(sa.text(bodies)))) == ["after"] * len(things)
    finally:
        here.close()
        there.close()
