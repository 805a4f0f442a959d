"""Decides where a process can be made to die: named points around commits, sends and answers, armed by the environment alone.

`FEDCOLLAB_CRASH_AT=point:number` kills the process (as kill -9 does) when it reaches the point for that many times; the fault tests
show with it that nothing acknowledged is ever lost. Unarmed, a point costs one comparison."""

import os
import signal

BACKUP = ("backup.copied", "backup.stored", "backup.written", "restore.fetched", "restore.loaded", "restore.adjusted")
FILES = ("upload.stored", "fetch.stored")
UPGRADE = ("migrate.step", "database.saved", "database.loaded")
RING = ("ring.committed", "ring.scrubbed", "ring.stored", "ring.written", "ring.restored")
POINTS = ("commit.before", "commit.after", "send.before", "send.after", "acknowledge.before", "process.before", "catchup.page")
_point, _, _number = os.environ.get("FEDCOLLAB_CRASH_AT", "").partition(":")
_left = int(_number) if _number.isdigit() else 1


def reach(point: str) -> None:
    """Marks that the process is at `point`."""
    if point != _point:
        return
    global _left  # noqa: PLW0603  # a countdown of this process
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
