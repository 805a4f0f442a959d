"""Decides the commands by which an upgrade keeps the database as it was and brings it back; people seldom need them."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from .console import CHOSEN, AsJson, say, with_kernel

database_app = typer.Typer(no_args_is_help=True, help="The database of a node that stands still: what upgrades do with it.")
Copy = Annotated[Path, typer.Argument(help="The copy's file.")]


@database_app.command("step")
def database_step(as_json: AsJson = False) -> None:
    """At which steps the database and the key ring are, and which ones this program needs."""
    from fedcollab.base import config
    from fedcollab.base.database import open_database
    from fedcollab.base.migrate import RING, current, head
    from fedcollab.base.paths import NodeFiles
    from fedcollab.sealing.ring import open_ring

    root = CHOSEN["directory"]
    database, ring = open_database(_url()), open_ring(config.load(root), NodeFiles(root))
    try:
        at, newest = current(database.engine), head()
        ring_at, ring_newest = current(ring.engine, RING), head(RING)
    finally:
        database.close()
        ring.close()
    data = {"at": at, "needed": newest, "ring": {"at": ring_at, "needed": ring_newest}}
    words = f"The database is at step {at or 'none'}, this program needs {newest}.\n"
    say(as_json, data, words + f"The key ring is at step {ring_at or 'none'}, this program needs {ring_newest}.")


@database_app.command("save")
def database_save(copy: Copy, as_json: AsJson = False) -> None:
    """Copies the database beside it, in clear; the node has to stand still."""
    from fedcollab.backup import copying
    from fedcollab.base import config
    from fedcollab.base.paths import NodeFiles

    root = CHOSEN["directory"]
    copying.save(NodeFiles(root), config.load(root), copy)
    say(as_json, {"path": str(copy)}, f"The database as it is now lies in {copy}.")


@database_app.command("erased")
def database_erased(
    days: Annotated[int, typer.Option(help="How far to look back.")] = 30,
    as_json: AsJson = False,
) -> None:
    """What was deleted, disabled or ended lately: what must not come back with an older copy."""
    from fedcollab.app import FEATURES
    from fedcollab.backup import erasures
    from fedcollab.base.clock import DAY

    parts = [feature.erasures for feature in FEATURES if feature.erasures]

    async def work(kernel: Any) -> dict[str, list[str]]:
        since = kernel.node.now() - days * DAY
        found: dict[str, list[str]] = await kernel.database.read(lambda session: erasures.listed(session, parts, since))
        return found

    erased = with_kernel(work)
    say(as_json, erased, "\n".join(f"{name}: {len(found)}" for name, found in erased.items()))


@database_app.command("load")
def database_load(
    copy: Copy,
    served: Annotated[bool, typer.Option("--served", help="The node has served since: it goes on with new numbers.")] = False,
    erased: Annotated[Path | None, typer.Option(help="What `database erased --json` said; it does not come back.")] = None,
    as_json: AsJson = False,
) -> None:
    """Puts a copy in the place of the database; the node has to stand still. What came in since the copy is gone here."""
    from fedcollab.actors.node import Node
    from fedcollab.app import FEATURES
    from fedcollab.backup import copying
    from fedcollab.base import config
    from fedcollab.base.crypto import read_master_key
    from fedcollab.base.paths import NodeFiles

    files, settings = NodeFiles(CHOSEN["directory"]), config.load(CHOSEN["directory"])
    copying.load(files, settings, copy)
    if served:
        units = [unit for feature in FEATURES for unit in feature.restored]
        parts = [feature.erasures for feature in FEATURES if feature.erasures]
        gone = json.loads(erased.read_text("utf-8")) if erased else {}
        copying.go_on(
            Node(settings, read_master_key(files), files=files), _url(), units, parts, gone, int(copy.stat().st_mtime * 1_000_000)
        )
    say(as_json, {"path": str(copy), "served": served}, f"The database is as it was in {copy}.")


def _url() -> str:
    from fedcollab.base import config
    from fedcollab.base.paths import NodeFiles

    root = CHOSEN["directory"]
    return config.load(root).database_url or f"sqlite:///{NodeFiles(root).database}"
