"""Measures what a backup costs those who post meanwhile, and how long a node is on its way back: 10 GB beside 20 posts a second, 1 GB."""

import os
import shutil
import sqlite3
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from fedcollab.base.clock import new_id
from fedcollab.demo import free_ports
from tests.journeys.browserless import Browser
from tests.journeys.databases import query
from tests.journeys.processes import CLI, Process

from .table import Row

GB = int(os.environ.get("FEDCOLLAB_BENCH_GB", "10"))
RATE, HANDS, USUAL = 20.0, 10, 30.0  # posts a second, by so many people; seconds of the usual before
SLOWER, BACK = 2.0, 60.0
BODY = 100_000  # bytes of what fills the database: half of it can be compressed away, as with text


def measure(root: Path) -> Iterator[Row]:
    """A large node first, whose posts are timed before and during its backup; then a node of 1 GB that comes back."""
    place = root / "backing"
    large, key, thread = _node(place / "large", GB)
    os.sync()  # what filled it is not what is measured
    large.serve()
    try:
        posters = Posters(large, thread)
        posters.start()
        time.sleep(3)
        usual = posters.during(lambda: time.sleep(USUAL))
        began = time.monotonic()
        during = posters.during(lambda: large.run_long("backup", "create", str(place / "backups")))
        took = time.monotonic() - began
        posters.stop()
    finally:
        large.kill()
    yield Row(f"backup of {GB} GB, whole", took, "s")
    yield Row(f"p95 of a post beside a backup of {GB} GB", _p95(during) * 1000, "ms", _p95(usual) * 1000, SLOWER * _p95(usual) * 1000)
    shutil.rmtree(place)
    small, key, _ = _node(place / "small", 1)
    small.run_long("backup", "create", str(place / "backups"))
    began = time.monotonic()
    words = [*CLI, "restore", str(place / "backups"), str(place / "again"), "--key-file", "-"]
    subprocess.run(words, input=key, text=True, check=True, capture_output=True)
    yield Row("restore of 1 GB", time.monotonic() - began, "s", None, BACK)
    assert query(Process(place / "again", small.port), "SELECT count(*) FROM post") == [(1,)]


class Node(Process):
    """A node whose commands may take their time."""

    def run_long(self, *words: str) -> None:
        subprocess.run([*CLI, "-C", str(self.place), *words], check=True, capture_output=True)


def _node(place: Path, size: int) -> tuple[Node, str, str]:
    """(a node of so many GB that does not run, its printed key, the row id of a conversation)."""
    place.parent.mkdir(parents=True, exist_ok=True)
    node = Node(place, free_ports(1)[0])
    node.init("Meridian Outreach", [])
    key = str(node.json("backup", "key")["key"])
    node.run("user", "add", "ilse", "--role", "admin", "--role", "member")
    node.run("group", "add", "leads", "--name", "Leads")
    posted = node.json("post", "leads", "--as", "ilse", "--title", "Leads", "--text", "What do you see?")
    raw = sqlite3.connect(place / "node.db", isolation_level=None)
    raw.execute("PRAGMA synchronous = OFF")
    raw.execute("PRAGMA foreign_keys = OFF")
    raw.execute(
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < ?)"
        " INSERT INTO post_revision SELECT printf('%036d', x), (SELECT id FROM post), hex(randomblob(?)), x FROM n",
        (size * 1_000_000_000 // BODY, BODY // 2),
    )
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    return node, key, str(posted["thread"])


class Posters:
    """People who post at a fixed rate together; each post is timed from when it was due."""

    def __init__(self, node: Process, thread: str) -> None:
        self.node, self.thread = node, thread
        self.took: list[tuple[float, float]] = []
        self.over = threading.Event()
        browser = Browser(node)
        browser.sign_in(node.json("login-link", "ilse")["link"])
        self.hands = [threading.Thread(target=self._post, args=(browser, number), daemon=True) for number in range(HANDS)]

    def start(self) -> None:
        self.began = time.monotonic()
        for hand in self.hands:
            hand.start()

    def stop(self) -> None:
        self.over.set()
        for hand in self.hands:
            hand.join(30)

    def _post(self, browser: Browser, number: int) -> None:
        due = self.began + number / RATE
        while not self.over.is_set():
            time.sleep(max(0.0, due - time.monotonic()))
            form = {"token": browser.token, "once": new_id(), "text": f"A text with its {number}.", "act": "send"}
            status, _, body = browser.send(f"/threads/{self.thread}", form)
            assert status == 303, (status, body[-500:])
            self.took.append((due, time.monotonic() - due))
            due += HANDS / RATE

    def during(self, work: Callable[[], object]) -> list[float]:
        """What each post took that was due while `work` went on, in seconds."""
        begun = time.monotonic()
        work()
        ended = time.monotonic()
        return [took for due, took in list(self.took) if begun <= due <= ended]


def _p95(took: list[float]) -> float:
    return statistics.quantiles(took, n=20)[-1]
