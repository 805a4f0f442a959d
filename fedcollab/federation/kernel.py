"""Decides what the async shell (views, workers, commands) has at hand: the node, its database, the outgoing client, the handlers."""

from dataclasses import dataclass

from aiohttp import web

from fedcollab.actors.node import Node
from fedcollab.base.database import Database
from fedcollab.base.http import Fetcher

from .registry import Registry


@dataclass(frozen=True)
class Kernel:
    """One running node."""

    node: Node
    database: Database
    fetcher: Fetcher
    registry: Registry


KERNEL = web.AppKey("kernel", Kernel)
