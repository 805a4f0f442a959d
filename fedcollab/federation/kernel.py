"""Decides what the async shell (views, workers, commands) has at hand: the node, its database, the outgoing client, the handlers."""

from collections import Counter
from dataclasses import dataclass, field

from aiohttp import web

from fedcollab.actors.node import Node
from fedcollab.base.database import Database
from fedcollab.base.http import Fetcher

from .intake import Intake
from .rates import Buckets, of_partners
from .registry import Registry
from .seeking import Sought
from .strangers import Strangers


@dataclass(frozen=True)
class Kernel:
    """One running node. `looked` says when each partner's Organization was last looked at because of keys that are not its pinned ones,
    `pulse` when each worker last turned to its work (monotonic seconds), `sent` how many deliveries ended how since the start."""

    node: Node
    database: Database
    fetcher: Fetcher
    registry: Registry
    sought: Sought = field(default_factory=Sought)
    intake: Intake = field(default_factory=Intake)
    inboxes: Buckets = field(default_factory=of_partners)
    asked: Buckets = field(default_factory=of_partners)
    looked: dict[str, int] = field(default_factory=dict)
    strangers: Strangers = field(default_factory=Strangers)
    pulse: dict[str, float] = field(default_factory=dict)
    sent: Counter[str] = field(default_factory=Counter)


KERNEL = web.AppKey("kernel", Kernel)
