"""Gives features' tests a whole node with an admin."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.web import Site, Visitor, site


@dataclass
class House:
    """A node and its admin, signed in."""

    site: Site
    admin: Visitor


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with site(tmp_path) as made:
        yield House(made, await made.member("ilse", "admin", "member"))
