"""Gives tests of search an empty database of either kind, which is empty again afterwards."""

import contextlib
from collections.abc import Callable, Iterator
from functools import cache

import pytest
import sqlalchemy as sa

from fedcollab.base.database import open_database
from fedcollab.base.model import Model
from fedcollab.base.session import Session
from tests.rows import memory, session_on

Fresh = Callable[[], contextlib.AbstractContextManager[Session]]


@cache
def _made(url: str) -> sa.Engine:
    engine = open_database(url).engine
    Model.metadata.create_all(engine)
    return engine


@contextlib.contextmanager
def _postgres(url: str) -> Iterator[Session]:
    with session_on(_made(url)) as session:
        yield session


@pytest.fixture(scope="session")
def postgres_url(postgres: Callable[[str], str]) -> str:
    return postgres("search")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def fresh(request: pytest.FixtureRequest) -> Fresh:
    """Opens the database anew each time it is called, for tests with many examples."""
    if request.param == "sqlite":
        return memory
    url: str = request.getfixturevalue("postgres_url")
    return lambda: _postgres(url)


@pytest.fixture
def session(fresh: Fresh) -> Iterator[Session]:
    with fresh() as made:
        yield made
