"""Decides whether the machine has room: on its disk, in its memory, in what a process may open."""

import os
import re
from pathlib import Path

from fedcollab.base.room import MEGABYTE, SHARE
from fedcollab.running.disk import FAR, forecast

from .findings import FAIL, OK, WARN, Finding, Lacking, ok, skip
from .patient import Patient, disk_size

MB, GB = 1_000_000, 1_000_000_000
FULL, SCARCE = 200 * MB, 2 * GB  # bytes free
SOON, NOW = 30, 3  # days until the disk is full
INODES = (10, 2)  # percent free


def disk(patient: Patient) -> Finding:
    """`disk`: there is room for what members write."""
    found = _statvfs(patient)
    free, share = found.f_bavail * found.f_frsize, 100 * found.f_bavail / max(found.f_blocks, 1)
    days = _days(patient, found.f_blocks * found.f_frsize)
    left = FAR if days is None else days
    level = FAIL if free < FULL or left < NOW else WARN if free < SCARCE or left < SOON else OK
    text = "%(free).1f GB are free, %(share)d %% of the disk" + ("." if days is None else ", enough for about %(days)d days.")
    mend = "Make room: what takes it? du -xh --max-depth=2 / | sort -h | tail. Or move the node to a larger disk."
    return Finding(level, text, mend if level != OK else "", {"free": free / GB, "share": share, "days": left})


def _statvfs(patient: Patient) -> os.statvfs_result:
    try:
        return patient.machine.statvfs(patient.root)
    except OSError:
        raise Lacking("settings") from None


def _days(patient: Patient, total: int) -> int | None:
    """For how many days the room lasts, as the settings page says it too; None where that is not known."""
    try:
        reserve = min(patient.settings.disk_reserve * MEGABYTE, total // SHARE)
        with patient.session() as session:
            return forecast(session, reserve)
    except Lacking:
        return None


def room(patient: Patient) -> Finding:
    """`room`: a backup and an upgrade copy the database beside itself for a while."""
    if not patient.sqlite:
        return skip("The database lies on PostgreSQL's disk.")
    found = _statvfs(patient)
    free, needed = found.f_bavail * found.f_frsize, 1.2 * disk_size(patient.files.database)
    if free < FULL:
        raise Lacking("disk")
    if free < needed:
        mend = "Free %(needed).1f GB before the next backup or upgrade, or move the node to a larger disk."
        return Finding(WARN, "There is no room for a copy of the database, which a backup makes.", mend, {"needed": needed / GB})
    return ok("There is room for a copy of the database.")


def inodes(patient: Patient) -> Finding:
    """`inodes`: the file system can hold more files."""
    found = _statvfs(patient)
    if not found.f_files:
        return skip("This file system has no limit of files.")
    share = 100 * found.f_favail / found.f_files
    level = FAIL if share < INODES[1] else WARN if share < INODES[0] else OK
    mend = "Remove what made so many small files: du --inodes -x --max-depth=2 / | sort -n | tail"
    return Finding(level, "%(share)d %% of the disk's files are free.", mend if level != OK else "", {"share": share})


def memory(patient: Patient) -> Finding:
    """`memory`: a node needs 100 MB, and some beside it for a page that is large."""
    free = _available(patient)
    if free is None:
        return skip("This system does not say how much memory is free.")
    level = FAIL if free < 50 * MB else WARN if free < 150 * MB else OK
    mend = "Stop what takes it (ps aux --sort=-rss | head), or give the machine more memory."
    return Finding(level, "%(free)d MB of memory are free.", mend if level != OK else "", {"free": free // MB})


def _available(patient: Patient) -> int | None:
    """Bytes that may still be taken: the machine's, or the control group's where that has less left."""
    try:
        found = re.search(r"^MemAvailable:\s+(\d+) kB", (patient.machine.proc / "meminfo").read_text(), re.MULTILINE)
    except OSError:
        return None
    left = [int(found[1]) * 1024] if found else []
    try:
        group = patient.machine.cgroups / (patient.machine.proc / "self/cgroup").read_text().strip().rpartition("::/")[2]
        kept = re.search(r"^inactive_file (\d+)", (group / "memory.stat").read_text(), re.MULTILINE)  # given back when it is wanted
        left.append(_number(group / "memory.max") - _number(group / "memory.current") + (int(kept[1]) if kept else 0))
    except (OSError, ValueError):
        pass  # no limit, or none that is shown here
    return min(left, default=None)


def _number(path: Path) -> int:
    return int(path.read_text())
