"""Kills nodes during traffic and compares what was acknowledged with what is there: `python -m tests.journeys.faults --rounds 300`.

No failure in N rounds means a rate under 3/N at 95 %. Progress is kept beside, so that a long run can be resumed."""

import argparse
import contextlib
import json
import os
import random
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from fedcollab.base.crash import POINTS
from tests.postgresql import server

from .browserless import Browser, Sender
from .databases import query
from .processes import Process, befriend, nodes, until

NAMES = ["Meridian Outreach", "Réseau Passerelle", "Casa Ladera"]
PROGRESS = Path(".cache/faults.json")
WRONG = ("lost", "twice", "reordered", "failed")
CONVERGE, REACHED = 30.0, 4.0  # seconds without anything new anywhere; until a crash point has been reached
MARK = re.compile(r"marker (\S+) end")


def marks(node: Process) -> list[str]:
    """The markers of all posts in the order of the thread, as stored."""
    rows = query(node, "SELECT html FROM post WHERE html LIKE '%marker %' ORDER BY place, id")
    return [found.group(1) for (html,) in rows if (found := MARK.search(html))]


def verdict(acknowledged: dict[str, list[str]], found: list[str]) -> list[str]:
    """What is wrong on one node: lost, twice, or out of order by sender; nothing, if all is well."""
    wrong = [f"lost {mark}" for sent in acknowledged.values() for mark in sent if mark not in found]
    wrong += [f"twice {mark}" for mark in set(found) if found.count(mark) > 1]
    for name in acknowledged:
        mine = [mark for mark in found if mark.startswith(name + "-")]
        wrong += [f"reordered {name}"] if mine != sorted(mine) else []
    return wrong


def scene(made: list[Process]) -> list[Sender]:
    """Partners, one thread, one sender a node signed in."""
    host = made[0]
    for i, one in enumerate(made):
        for other in made[i + 1 :]:
            befriend(one, other)
    group = host.json("group", "add", "leads", "--name", "Leads", "--label", "TLP:GREEN")["uri"]
    for node in made[1:]:
        until("the group is known", lambda node=node: query(node, f"SELECT 1 FROM actor WHERE uri = '{group}'"))
    opener = host.json("post", "leads", "--as", "ilse", "--title", "Traffic", "--text", "Go.")["uri"]
    senders = []
    for i, node in enumerate(made):
        rows = until("the opener", lambda node=node: query(node, f"SELECT thread_id FROM post WHERE uri = '{opener}'"))
        browser = Browser(node)
        browser.sign_in(node.json("login-link", "ilse")["link"])
        senders.append(Sender(browser, rows[0][0], f"s{i}", 0.4))
    return senders


def judged(made: list[Process], senders: list[Sender]) -> list[str]:
    """Waits until every node has every acknowledged post, or nothing comes any more; what is wrong on any of them."""
    acknowledged = {sender.name_: list(sender.acknowledged) for sender in senders}
    total = sum(map(len, acknowledged.values()))
    assert total > 0, "no traffic"
    found, end = [marks(node) for node in made], time.monotonic() + CONVERGE
    while time.monotonic() < end and any(len(set(here)) < total for here in found):
        time.sleep(0.5)
        before, found = found, [marks(node) for node in made]
        if found != before:  # a busy machine takes its time: what still moves is not lost yet
            end = time.monotonic() + CONVERGE
    wrong = [f"{words} on {node.place.name}" for node, here in zip(made, found, strict=True) for words in verdict(acknowledged, here)]
    if not wrong and len(set(map(tuple, found))) > 1:
        wrong.append("reordered: the nodes show different orders")
    for node in made:
        if (node.place / "node.db").exists():
            assert query(node, "PRAGMA integrity_check") == [("ok",)]
    return wrong


def settle(made: list[Process], senders: list[Sender]) -> None:
    """Raises AssertionError with what is wrong once all should be everywhere."""
    wrong = judged(made, senders)
    assert not wrong, (wrong[:5], *((node.place / "log").read_text()[-1500:] for node in made))


def round_of_kills(made: list[Process], senders: list[Sender], chance: random.Random, kills: int = 4) -> None:
    """R1: kill -9 of random nodes, each started again."""
    for _ in range(kills):
        time.sleep(chance.uniform(0.2, 1.2))
        victim = chance.choice(made)
        victim.kill()
        time.sleep(chance.uniform(0.0, 0.5))
        victim.serve()


def round_of_points(made: list[Process], chance: random.Random) -> None:
    """R2: a node dies at one of its own crash points after the other, each at a random one of its passages, and is started again."""
    victim = chance.choice(made)
    victim.stop()
    for point in POINTS:
        victim.environment = {"FEDCOLLAB_CRASH_AT": f"{point}:{chance.randint(1, 12)}"}
        victim.start()  # it may die before it is ready: its first commits are its own
        end = time.monotonic() + REACHED
        while victim.running is not None and victim.running.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        victim.kill()
    victim.environment = {}
    victim.serve()


def play(root: Path, rounds: int, seed: int, urls: list[str] | None = None) -> tuple[int, list[str]]:
    """Runs rounds of both kinds on one set of nodes; answers the number of posts that were acknowledged, and what is wrong."""
    chance = random.Random(seed)
    with nodes(root, NAMES, urls) as made:
        senders = scene(made)
        for sender in senders:
            sender.start()
        for _ in range(rounds):
            round_of_kills(made, senders, chance)
            round_of_points(made, chance)
        for sender in senders:
            sender.over.set()
        for sender in senders:
            sender.join(70)
            assert not sender.is_alive()
        return sum(len(sender.acknowledged) for sender in senders), judged(made, senders)


class Run:
    """Sets of nodes one after the other, several beside each other; what is done is kept beside, by the kind of database."""

    def __init__(self, rounds: int, each: int) -> None:
        self.rounds, self.each, self.lock = rounds, each, threading.Lock()
        self.done: dict[str, dict[str, int]] = json.loads(PROGRESS.read_text()) if PROGRESS.exists() else {}
        self.begun = self.finished
        self.wrong: list[str] = []

    @property
    def finished(self) -> int:
        return sum(kind["rounds"] for kind in self.done.values())

    def work(self, urls: dict[str, Callable[[int], list[str]]]) -> None:
        """Plays sets until all rounds are begun, or something was wrong; each set on the next kind of database."""
        while True:
            with self.lock:
                each, first = min(self.each, self.rounds - self.begun), self.begun
                self.begun += max(each, 0)
            if each <= 0 or self.wrong:
                return
            kind = list(urls)[first // self.each % len(urls)]
            try:
                with tempfile.TemporaryDirectory() as place:
                    posts, wrong = play(Path(place), each, seed=first, urls=urls[kind](len(NAMES)))
            except Exception as error:  # noqa: BLE001  # a node that does not start again, say: that is wrong as well
                posts, wrong = 0, [f"failed: {type(error).__name__} {error}"]
            self._note(kind, each, posts, wrong)

    def _note(self, kind: str, rounds: int, posts: int, wrong: list[str]) -> None:
        with self.lock:
            self.wrong += wrong
            for words in wrong:
                print(f"{kind}: {words}", flush=True)
            mine = self.done.setdefault(kind, dict.fromkeys(("rounds", "posts", *WRONG), 0))
            mine["rounds"], mine["posts"] = mine["rounds"] + rounds, mine["posts"] + posts
            for name in WRONG:
                mine[name] += sum(words.startswith(name) for words in wrong)
            PROGRESS.write_text(json.dumps(self.done))
            told = "; ".join(f"{name}: " + ", ".join(f"{number} {what}" for what, number in one.items()) for name, one in self.done.items())
            print(f"{self.finished} of {self.rounds} rounds. {told}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill nodes during traffic; nothing acknowledged may be lost, doubled or reordered.")
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--each", type=int, default=5, help="rounds on one set of nodes")
    parser.add_argument("--beside", type=int, default=3, help="sets at the same time")
    wanted = parser.parse_args()
    PROGRESS.parent.mkdir(exist_ok=True)
    run = Run(wanted.rounds, wanted.each)
    with contextlib.ExitStack() as stack:
        urls: dict[str, Callable[[int], list[str]]] = {"SQLite": lambda count: [""] * count}
        if "FEDCOLLAB_TEST_POSTGRES_BIN" not in os.environ:
            print("on SQLite alone: PostgreSQL is not installed here", flush=True)
        else:
            make = stack.enter_context(server(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
            urls["PostgreSQL"] = lambda count: [make("f") for _ in range(count)]
        threads = [threading.Thread(target=run.work, args=(urls,)) for _ in range(wanted.beside)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    PROGRESS.unlink(missing_ok=True)
    return 1 if run.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
