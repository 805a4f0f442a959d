"""Decides how install, upgrade and rollback speak: one line a step, one plain sentence where they stop; only one works at a time."""

import fcntl
import os
import pwd
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from .layout import Machine

HELD: list[int] = []  # the lock's descriptor: what we start holds it too, so that nobody works beside what a killed run has left
PATIENCE = 120.0  # seconds


class Stop(Exception):
    """Nothing more can be done; the text says what to do."""


def say(text: str = "") -> None:
    """One line for the person at the terminal; whose window is closed by now reads it no more, and the work goes on."""
    with suppress(OSError):
        print(text, flush=True)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Neither Ctrl-C nor a line that breaks ends what is done in here, nor the commands that are started for it."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _to_its_end() -> Iterator[None]:
    """Ctrl-C reaches a command that runs by itself. It is waited for, so that none works on beside us, and only then we break off."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield
        return
    noted: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: noted.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if noted:
        raise KeyboardInterrupt


def run(
    command: Sequence[str | Path], otherwise: str, *, env: Mapping[str, str] | None = None, cwd: Path | None = None, user: str = ""
) -> str:
    """What `command` prints. Where it fails, stops with the end of what it said and `otherwise`. With `user` it runs as that one alone."""
    whose: dict[str, object] = {"user": user, "group": user, "extra_groups": [], "umask": 0o077} if user else {}
    with _to_its_end():
        done = subprocess.run(  # type: ignore[call-overload]
            list(map(str, command)),
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            pass_fds=HELD,
            **whose,
        )
    if done.returncode != 0:
        end = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()][-12:]
        raise Stop("\n".join([*(f"  {line}" for line in end), otherwise]))
    return str(done.stdout)


@contextmanager
def alone(machine: Machine) -> Iterator[None]:
    """Only one of install, upgrade and rollback works on a machine at a time. The kernel lets go of the lock when the process and all that
    it started have ended; for what a killed one has left, it is waited."""
    machine.lock.parent.mkdir(parents=True, exist_ok=True)
    with machine.lock.open("a") as file:
        _lock(file.fileno())
        HELD.append(file.fileno())
        try:
            yield
        finally:
            HELD.remove(file.fileno())


def _lock(number: int) -> None:
    until, told = time.monotonic() + PATIENCE, False
    while True:
        try:
            return fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > until:
                raise Stop("Another install, upgrade or rollback is at work on this machine. Wait until it has ended.") from None
        if not told:
            say("Waiting for another install, upgrade or rollback, or for what a broken one has left ...")
        told = True
        time.sleep(0.5)


def as_root() -> None:
    """Raises Stop for anybody else."""
    if os.geteuid() != 0:
        raise Stop("This has to be run as root: sudo " + sys.argv[0])


def write(path: Path, text: str, mode: int = 0o644, owner: str = "") -> bool:
    """Makes a file be that text, whole or not at all and on the disk, of that owner if one is named; answers whether it was another
    before. An owner has the directory too, and may put a link wherever a name is used twice: for one the file is made anew, and given by
    what is open."""
    if not owner and path.exists() and path.read_text() == text:
        path.chmod(mode)
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".half")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fchmod(file.fileno(), mode)
        if owner:
            give(file.fileno(), owner)
        os.fsync(file.fileno())
    half.replace(path)
    _flush(path.parent)
    return True


def _flush(folder: Path) -> None:
    """Has the disk keep a folder's names: after a power cut the file would else be what it was before."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def give(handle: int, owner: str) -> None:
    """Makes an open file or directory the user's and its group's."""
    user = pwd.getpwnam(owner)
    os.fchown(handle, user.pw_uid, user.pw_gid)


def read_theirs(path: Path) -> str:
    """A file in a directory that a node's user owns. A link there may lead to what root alone may read, and a pipe never ends: Stop is
    raised for both, and for a file that has a second name elsewhere."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), encoding="utf-8") as file:
            found = os.fstat(file.fileno())
            text = file.read() if stat.S_ISREG(found.st_mode) and found.st_nlink == 1 else None
    except (OSError, UnicodeDecodeError):
        text = None
    if text is None:
        raise Stop(f"{path} is no plain file that can be read. Look what somebody has put there: ls -l {path}")
    return text
