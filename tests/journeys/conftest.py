"""Gives journeys both kinds of databases by name."""

from collections.abc import Callable

import pytest

KINDS = [pytest.param("sqlite", marks=pytest.mark.slow), pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=KINDS)
def urls(request: pytest.FixtureRequest) -> Callable[[int], list[str]]:
    """Database URLs for so many nodes: empty ones mean SQLite."""
    if request.param == "sqlite":
        return lambda count: [""] * count
    make = request.getfixturevalue("postgres")
    return lambda count: [make() for _ in range(count)]
