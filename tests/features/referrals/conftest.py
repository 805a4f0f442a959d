"""Gives the tests of referrals two organisations."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .handed import Two, two_at_work


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    async with two_at_work(tmp_path) as made:
        yield made
