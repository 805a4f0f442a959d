"""Decides where tests write: in memory where there is room, for a node's every commit waits for the disk, and tests make thousands."""

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of random name is made there; a file system of Linux in memory; containers often have a small one
AVAILABLE = Path("/proc/meminfo")
ROOM = 6 * 1024**3  # bytes free there, and of memory: a group leaves 1 GiB at the most
NAME = "fc{}-"  # by process; short, for the paths of sockets are


@contextmanager
def scratch() -> Iterator[Path | None]:
    """A folder for one group's temporary files, gone afterwards; None where the usual place has to do."""
    _sweep()
    if not _room():
        yield None
        return
    place = Path(tempfile.mkdtemp(prefix=NAME.format(os.getpid()), dir=MEMORY))
    place.chmod(stat.S_IRWXU | stat.S_IXGRP | stat.S_IXOTH)  # PostgreSQL runs as somebody else, inside it
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _room() -> bool:
    try:
        there = os.statvfs(MEMORY)
        available = re.search(r"^MemAvailable: +([0-9]+) kB", AVAILABLE.read_text(), re.MULTILINE)
    except OSError:  # not Linux
        return False
    left = int(available[1]) * 1024 if available else 0
    return min(there.f_bavail * there.f_frsize, left) >= ROOM and os.access(MEMORY, os.W_OK)


def _sweep() -> None:
    """What a run left that was killed: memory is dear."""
    for place in MEMORY.glob(NAME.format("*") + "*"):
        found = re.fullmatch(NAME.format("([0-9]+)") + ".*", place.name)
        if found and not Path("/proc", found[1]).exists() and place.stat().st_uid == os.geteuid():
            shutil.rmtree(place, ignore_errors=True)
