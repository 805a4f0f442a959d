"""Decides what `init` makes: the directory, its settings and keys, the database, the organisation, the first numbered step."""

import os
from pathlib import Path

from fedcollab.access import audit
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base import config, crypto
from fedcollab.base.database import open_database, run_sync
from fedcollab.base.errors import Misconfigured
from fedcollab.base.migrate import RING, current, migrate
from fedcollab.base.paths import NodeFiles
from fedcollab.base.session import Session
from fedcollab.federation import profiles
from fedcollab.sealing.ring import open_ring

ORGANISATION = "organisation"


def init(root: Path, written: dict[str, object]) -> config.Settings:
    """Makes a node in `root`, which must hold none yet. Raises Misconfigured, having left nothing behind that stands in the way."""
    settings = config.parse(written, {}, where="init")
    files = NodeFiles(root)
    if files.settings.exists() or files.key.exists():
        raise Misconfigured(
            "%(root)s holds a node already. Choose another directory, or start that one: fedcollab -C %(root)s serve", root=root
        )
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(files.settings, "".join(config.line(name, value) + "\n" for name, value in written.items()))
        key = crypto.make_master_key(files)
    except OSError as error:
        raise Misconfigured(
            "%(root)s can't be written (%(error)s). Choose a directory of yours, or: chown YOU %(root)s",
            root=root,
            error=error.strerror,
        ) from None
    before = [path for path in (files.database, files.ring) if path.exists()]
    try:
        _fill(settings, files, key)
    except BaseException:
        for made in {files.settings, files.key, files.database, files.ring}.difference(before):
            made.unlink(missing_ok=True)
        raise
    return settings


def _fill(settings: config.Settings, files: NodeFiles, key: bytes) -> None:
    """Both databases' tables and the first rows. Raises Misconfigured where one can't be opened or holds a node already."""
    try:
        database, ring = open_database(settings.database_url or f"sqlite:///{files.database}"), open_ring(settings, files)
    except ModuleNotFoundError:
        raise Misconfigured('PostgreSQL needs one more package. Run in the program\'s environment: pip install "psycopg[binary]"') from None
    try:
        if current(database.engine):
            raise Misconfigured("The database holds a node already. Choose an empty one, or bring back that node's node.toml and node.key.")
        if current(ring.engine, RING):
            raise Misconfigured("The key ring is a node's already. Choose an empty database for it, or move ring.db away.")
        if ring.is_in(database.engine):
            raise Misconfigured("ring_url and database_url name the same database. The key ring needs one for itself: make another.")
        migrate(ring.engine, steps=RING)
        migrate(database.engine)
        if not settings.database_url:
            files.database.chmod(0o600)
        run_sync(database, lambda session: _organisation(session, Node(settings, key, ring=ring)))
    finally:
        database.close()
        ring.close()


def _write(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def _organisation(session: Session, node: Node) -> None:
    me = actors.create_own(session, node, actors.ORGANIZATION, username=ORGANISATION, name=node.settings.name)
    profiles.document(session, node, me)
    audit.record(session, node.now(), None, "node.init", me.id)
