"""Shows that SQLite puts nothing of ours into temporary files: they would lie in clear outside the node's directory."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from fedcollab.base.database import open_database
from fedcollab.base.session import Session
from tests.rows import session_on

from .units import tables

HANDLES = Path("/proc/self/fd")


def temporary() -> list[str]:
    """The files that SQLite has open beside the database; they have no name any more."""
    return [name for handle in HANDLES.iterdir() if "etilqs_" in (name := str(handle.readlink()) if handle.is_symlink() else "")]


def undoable(session: Session) -> list[str]:
    """Changes many rows, so that SQLite has to keep them as they were, and looks for where."""
    session.execute(sa.text("CREATE TABLE filled (a TEXT)"))
    words = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO filled SELECT hex(zeroblob(200)) FROM n"
    )
    session.execute(sa.text(words))
    session.execute(sa.text("SAVEPOINT undo"))
    session.execute(sa.text("UPDATE filled SET a = 'x' || a"))
    found = temporary()
    session.execute(sa.text("RELEASE undo"))
    return found


@pytest.mark.skipif(not HANDLES.is_dir(), reason="only Linux tells which files are open")
@pytest.mark.parametrize(("store", "there"), [("MEMORY", False), ("FILE", True)])
async def test_what_a_unit_could_undo_is_kept_in_memory(store: str, there: bool, tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'node.db'}")
    await database.write(tables)

    def work(session: Session) -> list[str]:
        return undoable(session)

    if store == "FILE":  # as SQLite does by itself: shows that the test would see it

        @sa.event.listens_for(database.engine, "connect")
        def _back(raw: object, _record: object) -> None:
            raw.execute("PRAGMA temp_store=FILE")  # type: ignore[attr-defined]

        with session_on(database.engine) as session:
            session.execute(sa.text("BEGIN IMMEDIATE"))
            found = undoable(session)
    else:
        found = await database.write(work)
    database.close()
    assert bool(found) == there
