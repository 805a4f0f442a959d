#!/usr/bin/python3
"""Stands in for systemctl where no systemd runs: starts what units say, as whom and with which files they say, waits until it is ready.

Put on the PATH as `systemctl`. Of the directives it obeys those that a process can be given from outside: the user, the credential with
the access list that systemd writes, what of the disk can be written, limits, no new rights, no memory that is written and run. PrivateTmp
is not among them: a node that needs no such place is shown to need none."""

import contextlib
import ctypes
import os
import pwd
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

STATE = Path("/run/stand-in")
PLACES = (Path("/etc/systemd/system"), Path("/usr/lib/systemd/system"), Path("/lib/systemd/system"))
LIBC = ctypes.CDLL(None, use_errno=True)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # systemd's
NEW_MOUNTS, READ_ONLY, REMOUNT, BIND, ALL_BELOW, PRIVATE = 0x20000, 1, 32, 4096, 16384, 1 << 18
NO_NEW_RIGHTS, DENY_WRITE_EXECUTE = (38, 1, 0, 0, 0), (65, 1, 0, 0, 0)


def read(unit: str) -> dict[str, list[str]]:
    """A unit's directives, with %i in its place; the template's if it is one of a template, then its drop-ins'."""
    name, _, instance = unit.rpartition(".")[0].partition("@")
    file = f"{name}@.{unit.rpartition('.')[2]}" if instance else unit
    found = next(place / file for place in PLACES if (place / file).exists())
    said: dict[str, list[str]] = {}
    for path in [found, *sorted((PLACES[0] / f"{unit}.d").glob("*.conf"))]:
        for line in path.read_text().splitlines():
            key, equals, value = line.partition("=")
            if equals and not line.startswith("#"):
                said.setdefault(key.strip(), []).append(value.strip().replace("%i", instance))
    return said


def pid_of(unit: str) -> int:
    """The process of a unit, 0 where it does not run."""
    with contextlib.suppress(OSError, ValueError):
        number = int((STATE / unit).read_text())
        if number == 0 or Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            return number or -1
    return 0


def hand_over(unit: str, said: dict[str, list[str]], user: pwd.struct_passwd) -> str:
    """The directory with the unit's credentials: root's, readable by its user by an access list, as systemd 254 and later make it."""
    place = Path("/run/credentials") / unit
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for entry in said.get("LoadCredential", []):
        name, _, source = entry.partition(":")
        (place / name).write_bytes(Path(source).read_bytes())
        _open_for(place / name, user.pw_uid, 4)
    _open_for(place, user.pw_uid, 5)
    return str(place)


def _open_for(path: Path, uid: int, rights: int) -> None:
    nobody = 0xFFFFFFFF
    entries = ((1, rights, nobody), (2, rights, uid), (4, 0, nobody), (16, rights, nobody), (32, 0, nobody))
    os.setxattr(path, "system.posix_acl_access", struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries))


def confine(said: dict[str, list[str]]) -> None:
    """What a child does before it becomes the unit's process."""
    if said.get("ProtectSystem") == ["strict"]:
        LIBC.unshare(NEW_MOUNTS)
        LIBC.mount(None, b"/", None, ALL_BELOW | PRIVATE, None)
        places = [place.removeprefix("-") for place in said.get("ReadWritePaths", [])]
        for place in [place.encode() for place in places if Path(place).exists()]:
            LIBC.mount(place, place, None, BIND, None)
        if LIBC.mount(None, b"/", None, REMOUNT | BIND | READ_ONLY, None) != 0:
            os._exit(226)
    if said.get("LimitCORE") == ["0"]:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def bind_rights(said: dict[str, list[str]]) -> None:
    """As `confine`, what stays with the process that is executed."""
    if said.get("NoNewPrivileges") == ["yes"]:
        LIBC.prctl(*NO_NEW_RIGHTS)
    if said.get("MemoryDenyWriteExecute") == ["yes"]:
        LIBC.prctl(*DENY_WRITE_EXECUTE)


def start(unit: str) -> int:
    if pid_of(unit):
        return 0
    STATE.mkdir(parents=True, exist_ok=True)
    if unit.endswith(".timer"):
        (STATE / unit).write_text("0")
        return 0
    said = read(unit)
    user, kind = pwd.getpwnam(said.get("User", ["root"])[-1]), said.get("Type", ["simple"])[-1]
    env = {"PATH": PATH, "HOME": user.pw_dir, "LANG": "C.UTF-8", "NOTIFY_SOCKET": str(STATE / f"{unit}.notify")}
    if "LoadCredential" in said:
        env["CREDENTIALS_DIRECTORY"] = hand_over(unit, said, user)

    def become() -> None:
        confine(said)
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
        os.umask(int(said.get("UMask", ["0022"])[-1], 8))
        bind_rights(said)

    Path(env["NOTIFY_SOCKET"]).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line, (STATE / f"{unit}.log").open("ab") as log:
        line.bind(env["NOTIFY_SOCKET"])
        Path(env["NOTIFY_SOCKET"]).chmod(0o777)
        words = said["ExecStart"][-1].split()
        child = subprocess.Popen(
            words,
            cwd="/",
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=become,  # noqa: PLW1509  # one thread is all there is
            start_new_session=True,
        )
        if kind == "oneshot":
            return child.wait()
        (STATE / unit).write_text(str(child.pid))
        return 0 if kind != "notify" or is_ready(line, child) else 1


def is_ready(line: socket.socket, child: "subprocess.Popen[bytes]") -> bool:
    line.settimeout(0.2)
    until = time.monotonic() + 60
    while time.monotonic() < until and child.poll() is None:
        with contextlib.suppress(TimeoutError):
            if "READY=1" in line.recv(4096).decode().split("\n"):
                return True
    return False


def stop(unit: str) -> int:
    number = pid_of(unit)
    if number > 0:
        os.kill(number, signal.SIGTERM)
        until = time.monotonic() + 30
        while pid_of(unit) and time.monotonic() < until:
            time.sleep(0.05)
        if pid_of(unit):
            os.kill(number, signal.SIGKILL)
    (STATE / unit).unlink(missing_ok=True)
    return 0


def reload(unit: str) -> int:
    """A running one by its ExecReload, which has the unit's own user."""
    said = read(unit)
    if not pid_of(unit) or "ExecReload" not in said:
        return stop(unit) or start(unit)
    user = pwd.getpwnam(said.get("User", ["root"])[-1])
    env = {"PATH": PATH, "HOME": user.pw_dir}
    words = said["ExecReload"][-1].split()
    return subprocess.run(words, user=user.pw_uid, group=user.pw_gid, extra_groups=[], env=env, check=False).returncode


def main(arguments: list[str]) -> int:
    words = [word for word in arguments if not word.startswith("-")]
    verb, units = words[0], [unit if "." in unit else f"{unit}.service" for unit in words[1:]]
    enabled = PLACES[0] / "stand-in.wants"
    if verb == "daemon-reload":
        return 0
    if verb == "enable":
        enabled.mkdir(parents=True, exist_ok=True)
        for unit in units:
            read(unit)
            (enabled / unit).touch()
        return 0
    does = {
        "start": start,
        "stop": stop,
        "restart": lambda unit: stop(unit) or start(unit),
        "reload-or-restart": reload,
        "is-active": lambda unit: 0 if pid_of(unit) else 3,
        "is-enabled": lambda unit: 0 if (enabled / unit).exists() else 1,
    }
    return max(does[verb](unit) for unit in units)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
