"""Decides what every service may ask of the node it runs on: settings, the time, the keys that it has opened."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from fedcollab.base.clock import Clock, system_clock
from fedcollab.base.config import Settings
from fedcollab.base.errors import Misconfigured
from fedcollab.base.maintenance import Maintenance
from fedcollab.base.paths import NodeFiles
from fedcollab.base.room import Room
from fedcollab.base.session import Session


def nobody_asks(_session: Session, _actor_id: str) -> None:
    """Where no house stands around a node, nobody follows its actors."""


class KeyRing(Protocol):
    """The key ring (sealing/ring.py), as whoever is handed a node knows it."""

    @property
    def engine(self) -> sa.Engine: ...
    def begin(self) -> AbstractContextManager[sa.Connection]: ...
    def look(self) -> AbstractContextManager[sa.Connection]: ...
    def scrub(self) -> bool: ...
    def finish(self, *, all_of_it: bool = False) -> bool: ...
    def close(self) -> None: ...


class NoRing:
    """Stands where a process has opened no key ring, because nothing that it does needs one."""

    @property
    def engine(self) -> sa.Engine:
        raise Misconfigured("This command has opened no key ring.")

    def begin(self) -> AbstractContextManager[sa.Connection]:
        return self.engine.begin()

    def look(self) -> AbstractContextManager[sa.Connection]:
        return self.engine.begin()

    def scrub(self) -> bool:
        return True

    def finish(self, *, all_of_it: bool = False) -> bool:
        return True

    def close(self) -> None:
        """There is nothing to close."""


@dataclass(frozen=True)
class Node:
    """The node at work. `keyring` holds private keys already unsealed, by row id: opening one costs milliseconds. `files` is where it lies,
    `room` what its disk still takes, `maintenance` whether it is being worked on. `named` is told
    of each actor in the commit that makes, renames or ends it, so that search finds it.
    `ring` is the key ring."""

    settings: Settings
    master_key: bytes = field(repr=False)
    clock: Clock = system_clock
    keyring: dict[str, object] = field(default_factory=dict, repr=False)
    files: NodeFiles = field(default_factory=lambda: NodeFiles(Path()))
    room: Room = field(default_factory=Room)
    maintenance: Maintenance = field(default_factory=Maintenance)
    named: Callable[[Session, str], None] = nobody_asks
    ring: KeyRing = field(default_factory=NoRing, repr=False)

    @property
    def host(self) -> str:
        return self.settings.host

    @property
    def actor_uri(self) -> str:
        """The id of the node's own Organization."""
        return self.settings.uri("/actor")

    def now(self) -> int:
        """Microseconds since the epoch."""
        return self.clock()
