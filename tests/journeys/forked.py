"""Decides how a command begins in journeys: forked from a process that has read others' libraries, which takes most of a command's time.

Of fedcollab itself that process has read nothing: what a command fails to import, it lacks here as well."""

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import IO, Any

LIBRARIES = (
    *("aiohttp.web", "argon2", "babel.support", "http_message_signatures", "httpsig", "jinja2", "markdown", "nh3", "orjson", "psycopg"),
    *("pyotp", "sqlalchemy", "sqlalchemy.dialects.postgresql", "sqlalchemy.dialects.sqlite", "typer"),
)
SECONDS = 60.0


def command(words: list[str], *, stdin: str = "", env: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """Runs `fedcollab WORDS` in a process of its own, as `subprocess.run` does with text. Raises TimeoutExpired after a minute."""
    with contextlib.ExitStack() as stack:
        given, out, err = (stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8")) for _ in range(3))
        given.write(stdin)
        given.seek(0)
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                socket.send_fds(_ready(), [b"."], [theirs.fileno(), *(file.fileno() for file in (given, out, err))])
            asked = {"words": words, "cwd": str(Path.cwd()), "env": dict(os.environ if env is None else env)}
            ours.sendall(json.dumps(asked).encode())
            ours.shutdown(socket.SHUT_WR)
            code = _end(ours, words)
        return subprocess.CompletedProcess(words, code, _all(out), _all(err))


def _end(ours: socket.socket, words: list[str]) -> int:
    """Its exit code, negative where a signal ended it."""
    with ours.makefile() as told:
        pid = int(told.readline())
        ours.settimeout(SECONDS)
        try:
            return int(told.readline())
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(words, SECONDS) from None


def _all(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


@cache
def _ready() -> socket.socket:
    """The line to the process that forks: one for each process of tests, with which it ends."""
    ours, theirs = socket.socketpair()
    with theirs:
        forks = subprocess.Popen([sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
    atexit.register(forks.wait)
    atexit.register(ours.close)  # first
    return ours


def main() -> None:
    """Forks for each command that is asked for, until nobody can ask any more."""
    line = socket.socket(fileno=int(sys.argv[1]))
    sys.path[0] = str(Path.cwd())  # as `python -m` has it
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.freeze()  # or each command copies and looks through all of it at its end
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait for commands
    while True:
        asked, handles, _, _ = socket.recv_fds(line, 1, 4)
        if not asked:
            return
        if os.fork() == 0:
            line.close()
            _wait_for(handles)
            return
        for handle in handles:
            os.close(handle)


def _wait_for(handles: list[int]) -> None:
    """Says which process is the command, and how it ended. Returns in the command itself alone, once it has come to its end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    tell = socket.socket(fileno=handles[0])
    with tell.makefile() as told:
        asked = json.load(told)
    pid = os.fork()
    if pid == 0:
        tell.close()
        _become(asked, handles[1:])
        return
    for handle in handles[1:]:
        os.close(handle)
    tell.sendall(f"{pid}\n".encode())
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(OSError):  # whoever asked has gone
        tell.sendall(f"{code}\n".encode())
    os._exit(0)


def _become(asked: dict[str, Any], handles: list[int]) -> None:
    """This process is the command from here on, as one that was started by itself."""
    for number, handle in enumerate(handles):
        os.dup2(handle, number)
        os.close(handle)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    sys.argv = ["fedcollab", *asked["words"]]
    runpy.run_module("fedcollab", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
