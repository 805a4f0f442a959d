"""Gives tests of flows a whole node with an admin."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.features.conftest import House
from tests.web import site


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with site(tmp_path) as made:
        yield House(made, await made.member("ilse", "admin", "member"))
