"""Decides what every service may ask of the node it runs on: settings, the time, the keys that it has opened."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.orm import Session

from fedcollab.base.clock import Clock, system_clock
from fedcollab.base.config import Settings
from fedcollab.base.maintenance import Maintenance
from fedcollab.base.paths import NodeFiles
from fedcollab.base.room import Room


def nobody_asks(_session: Session, _actor_id: str) -> None:
    """Where no house stands around a node, nobody follows its actors."""


@dataclass(frozen=True)
class Node:
    """The node at work. `keyring` holds private keys already unsealed, by row id: opening one costs milliseconds. `files` is where it lies,
    `room` what its disk still takes, `maintenance` whether it is being worked on. `named` is told
    of each actor in the commit that makes, renames or ends it, so that search finds it."""

    settings: Settings
    master_key: bytes = field(repr=False)
    clock: Clock = system_clock
    keyring: dict[str, object] = field(default_factory=dict, repr=False)
    files: NodeFiles = field(default_factory=lambda: NodeFiles(Path()))
    room: Room = field(default_factory=Room)
    maintenance: Maintenance = field(default_factory=Maintenance)
    named: Callable[[Session, str], None] = nobody_asks

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
