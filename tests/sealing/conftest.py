"""Gives the tests of sealing a key ring of either kind, at the newest step."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fedcollab.base.migrate import RING, migrate
from fedcollab.sealing.ring import Ring


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def ring(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ring]:
    """An empty key ring."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'ring.db'}"
    else:
        make: Callable[[str], str] = request.getfixturevalue("postgres")
        url = make("ring")
    made = Ring(url)
    migrate(made.engine, steps=RING)
    yield made
    made.close()
