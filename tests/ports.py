"""Gives tests ports of loopback that nobody else takes before their server does: none that the system hands out by itself, and to each of
the processes that share the tests others."""

import contextlib
import itertools
import os
import random
import socket

FIRST, LAST = 10_000, 32_768  # the system gives connections and servers without a wish ports from there on
PROCESSES = 8
_process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % PROCESSES
_mine = list(range(FIRST + _process, LAST, PROCESSES))
random.SystemRandom().shuffle(_mine)  # two runs on one machine do not go side by side
_next = itertools.cycle(_mine)  # the same one again after thousands: a server that is started again finds its own free


def free_port() -> int:
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    found = list[int]()
    for port in itertools.islice(_next, len(_mine)):
        with socket.socket() as tried, contextlib.suppress(OSError):
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as a server does
            tried.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise AssertionError(f"this machine has no {count} free ports")
