"""Gives tests of guests a node with cases open."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.features.cases.desks import Office, office


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as made:
        yield made
