"""Runs nodes as their admins do: by the command line, each a process of its own on loopback, on SQLite or PostgreSQL."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.ports import free_ports

from . import forked

CLI = [sys.executable, "-m", "fedcollab"]
READY = 15.0


@dataclass
class Process:
    """One node in its directory; `serve` starts it, `kill` ends it without a word."""

    place: Path
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    running: "subprocess.Popen[str] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, *words: str, stdin: str = "", check: bool = True) -> "subprocess.CompletedProcess[str]":
        """One command beside the running node."""
        done = forked.command(["-C", str(self.place), *words], stdin=stdin)
        if check and done.returncode:
            raise AssertionError(f"{words}: {done.stderr}")
        return done

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json").stdout)

    def init(self, name: str, peers: list[int], database_url: str = "") -> None:
        words = ["init", str(self.place), "--name", name, "--base-url", self.url, "--listen", f"127.0.0.1:{self.port}", "--trial"]
        words += [f"--loopback-peer=127.0.0.1:{p}" for p in peers if p != self.port]
        self.command(*words, *(["--database-url", database_url] if database_url else [])).check_returncode()

    @staticmethod
    def command(*words: str) -> "subprocess.CompletedProcess[str]":
        """One command that belongs to no node yet."""
        return forked.command(list(words))

    def serve(self) -> None:
        """Starts the node and waits for its "ready" line."""
        line = self.start()
        assert line.startswith("ready "), (line, (self.place / "log").read_text()[-2000:])

    def start(self, *options: str) -> str:
        """Starts the node; answers the first line that it prints, empty where it ended without one."""
        log = (self.place / "log").open("a")
        words = [*CLI, "-C", str(self.place), "serve", *options]
        self.running = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ | self.environment)
        log.close()
        assert self.running.stdout is not None
        return self.running.stdout.readline()

    def kill(self) -> None:
        """kill -9."""
        if self.running is not None:
            self.running.send_signal(signal.SIGKILL)
            self.reap()

    def stop(self) -> int:
        """Ends the node as systemd does; answers its exit code."""
        assert self.running is not None
        self.running.terminate()
        return self.reap()

    def reap(self) -> int:
        """Waits for the end of a node that was told to end, or has died by itself; answers its exit code."""
        assert self.running is not None
        code = self.running.wait(20)
        if self.running.stdout is not None:
            self.running.stdout.close()
        self.running = None
        return code


@contextlib.contextmanager
def nodes(root: Path, names: list[str], urls: list[str] | None = None) -> Iterator[list[Process]]:
    """Initialised and serving nodes that may all talk to each other; ended afterwards whatever happened."""
    ports = free_ports(len(names))
    made = [Process(root / f"node{i + 1}", port) for i, port in enumerate(ports)]
    try:
        for i, node in enumerate(made):
            node.init(names[i], ports, urls[i] if urls else "")
            node.run("user", "add", "ilse", "--role", "admin", "--role", "member", "--shown", f"Ilse {i + 1}")
            node.serve()
        yield made
    finally:
        for node in made:
            node.kill()


def befriend(one: Process, other: Process) -> None:
    one.run("partner", "add", other.url, "--approve")
    other.run("partner", "add", one.url + "/actor", "--approve")


def until(what: str, probe: Any, seconds: float = 20.0) -> Any:
    """Waits until `probe()` answers something true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = probe()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")
