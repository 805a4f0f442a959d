"""Shows that two units of PostgreSQL's that put something in at the same second both end well, one after the other."""

import threading

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fedcollab.base.clock import new_id
from fedcollab.search import index
from fedcollab.search.index import Entry
from fedcollab.search.models import SearchEntry
from tests.rows import START, organisation

from .conftest import _made


def _entry(ours: str) -> Entry:
    return Entry("post", new_id(), None, "TLP:GREEN", ours, START, "/x", text="at once")


def _put(session: Session, ours: str) -> None:
    index.put(session, _entry(ours))
    session.commit()


@pytest.mark.postgres
def test_two_things_of_one_second_that_are_put_in_at_once_both_are_in(postgres_url: str) -> None:
    engine = _made(postgres_url)
    with Session(engine) as before:
        ours = organisation(before, f"{new_id()}.example")
        before.commit()
    with Session(engine) as first, Session(engine) as second:
        index.put(first, _entry(ours))
        other = threading.Thread(target=_put, args=(second, ours))
        other.start()
        other.join(0.3)
        assert other.is_alive(), "it waits for the place that the first one may take"
        first.commit()
        other.join(10)
        places = set(first.scalars(sa.select(SearchEntry.place).where(SearchEntry.organisation_id == ours)))
        assert len(places) == 2
        first.execute(sa.delete(SearchEntry).where(SearchEntry.organisation_id == ours))
        first.execute(sa.text("DELETE FROM search_words"))
        first.commit()
