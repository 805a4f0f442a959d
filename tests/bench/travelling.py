"""Measures how long a post takes from the form to the partners' pages: three nodes, beside three bare servers that pass it on."""

import statistics
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from fedcollab.base.clock import new_id
from fedcollab.demo import free_ports
from tests.journeys.browserless import Browser
from tests.journeys.databases import query
from tests.journeys.processes import Process, befriend, nodes, until

from .measured import Server, bare
from .table import Row

ROUNDS, LOOK, WITHIN = 20, 0.002, 1.0
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
Shows = Callable[[str], bool]


def measure(root: Path) -> Iterator[Row]:
    """Authors take turns, so a third of the posts starts at the group's host and the others reach it first."""
    place = root / "travelling"
    with nodes(place, ["Meridian Outreach", "Casa Ladera", "Kivuli Support"]) as three, ExitStack() as stack:
        threads = _acquaint(three)
        browsers = [_signed_in(node) for node in three]
        floors = _floors(stack, place)
        took: list[float] = []
        least: list[float] = []
        for number in range(ROUNDS + 3):
            at = number % 3
            others = [_page(browsers[i], threads[i]) for i in range(3) if i != at]
            took.append(_until_shown(others, lambda mark, at=at: _answer(browsers[at], threads[at], mark)))
            shows = [_newest(floor) for floor in floors[1:]]
            least.append(_until_shown(shows, lambda mark: _hand(floors[0], mark)))
    took, least = took[3:], least[3:]  # each node's first post loads and compiles
    yield Row("post to visible on both partners, median", statistics.median(took), "s", statistics.median(least), WITHIN)
    yield Row(f"post to visible on both partners, worst of {ROUNDS}", max(took), "s", max(least), WITHIN)


def _acquaint(three: Sequence[Process]) -> list[str]:
    """The host's partners, its group, and a conversation that has arrived; answers its row id on each node."""
    host = three[0]
    for other in three[1:]:
        befriend(host, other)
    host.run("group", "add", "leads", "--name", "Leads", "--label", "TLP:GREEN")
    for other in three[1:]:
        until("the group", lambda other=other: query(other, "SELECT 1 FROM actor WHERE username = 'leads'"))
    posted = host.json("post", "leads", "--as", "ilse", "--title", "Leads", "--text", "What do you see?")
    wanted = f"SELECT thread_id FROM post WHERE uri = '{posted['uri']}'"
    return [str(until("the conversation", lambda node=node: query(node, wanted))[0][0]) for node in three]


def _signed_in(node: Process) -> Browser:
    browser = Browser(node)
    browser.sign_in(node.json("login-link", "ilse")["link"])
    return browser


def _floors(stack: ExitStack, place: Path) -> list[Server]:
    ports = free_ports(3)
    peers = [[str(port) for port in ports[1:]], [], []]
    made = [stack.enter_context(bare(port, str(place / f"bare{port}.db"), *peers[i])) for i, port in enumerate(ports)]
    for server in made:
        server.wait()
    return made


def _until_shown(shows: Sequence[Shows], send: Callable[[str], None]) -> float:
    """Seconds from sending a marked post until every one of the pages has shown it."""
    mark = f"marker-{new_id()}"
    began = time.perf_counter()
    send(mark)
    for show in shows:
        while not show(mark):
            assert time.perf_counter() - began < 20, "a post did not arrive"
            time.sleep(LOOK)
    return time.perf_counter() - began


def _answer(author: Browser, thread: str, mark: str) -> None:
    form = {"token": author.token, "once": new_id(), "text": f"A text with its {mark}.", "act": "send"}
    status, _, body = author.send(f"/threads/{thread}", form)
    assert status == 303, (status, body[-500:])


def _page(reader: Browser, thread: str) -> Shows:
    return lambda mark: mark in reader.ask("GET", f"/threads/{thread}")[2]


def _hand(floor: Server, mark: str) -> None:
    assert floor.ask("/posts", body=urllib.parse.urlencode({"text": mark}).encode(), headers=FORM)[0] == 303


def _newest(floor: Server) -> Shows:
    return lambda mark: mark.encode() in floor.ask("/newest")[1]
