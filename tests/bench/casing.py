"""Measures what a case of 1,000 and of 10,000 entries costs: its pages as a browser asks for them, and the form that adds one more entry.

The floor is the least that this has to do: open each message (the case keys, the ciphers, the signatures), fold the entries, and fill one
template of the page's own size; no request, no session, no database, no words, no record.
"""

import asyncio
import gc
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import sqlalchemy as sa

from fedcollab.features.cases import desk
from fedcollab.features.cases.arriving import Arrived, read
from fedcollab.features.cases.folding import fold
from fedcollab.features.cases.kinds import document
from fedcollab.features.cases.memory import MEMORY, Memory
from fedcollab.features.cases.record import Entry
from fedcollab.features.cases.work import Contact, Decision, Message, Progress, Task
from fedcollab.sealing import messages, people, room_content
from fedcollab.sealing.found_good import FoundGood
from fedcollab.sealing.room_models import SealedMessage
from tests.features.cases.desks import Office, office
from tests.web import Visitor

from .table import Row

ENTRIES, MANY, BLOCKS, EACH = 1_000, 10_000, 5, 3
PAGE, TIMES = 150.0, 4.0  # the most: milliseconds, times the floor
GROWN, COLD = 3.0, 1_200.0  # the most for many: times the same among 1,000, milliseconds
TEXT = "She called from the station and is on her way to the house. " * 8


class Costs(NamedTuple):
    """Milliseconds of processor time, the browser that asks included: the page again, for the first time after a start, in a node that runs
    but keeps nothing of the case; the tasks; an entry that is posted; one's cases; and the floor."""

    page: float
    first: float
    anew: float
    tasks: float
    post: float
    mine: float
    floor: float


def measure(root: Path) -> Iterator[Row]:
    """Processor time alone; of several blocks the best counts."""
    few, many = (asyncio.run(_measure(root / f"casing-{entries}", entries)) for entries in (ENTRIES, MANY))
    most = min(PAGE, TIMES * few.floor)
    yield Row(f"case of {ENTRIES} entries: its page", few.page, "CPU-ms", few.floor, most)
    yield Row("its page, where nothing is kept of it", few.anew, "CPU-ms", few.floor, most)
    yield Row("its page, no signature checked yet either", few.first, "CPU-ms", few.floor, most)
    yield Row(f"case of {ENTRIES} entries: its tasks", few.tasks, "CPU-ms", few.floor, PAGE)
    yield Row(f"case of {ENTRIES} entries: a message posted", few.post, "CPU-ms")
    yield Row("my cases, with that one", few.mine, "CPU-ms")
    for name in ("page", "tasks", "post"):
        value, before = getattr(many, name), getattr(few, name)
        yield Row(f"case of {MANY} entries: {WHAT[name]}, times that of {ENTRIES}", value / before, "times", 1.0, GROWN)
    yield Row(f"case of {MANY} entries: its page", many.page, "CPU-ms")
    yield Row("its page, where nothing is kept of it", many.anew, "CPU-ms", many.floor)
    yield Row("its page, no signature checked yet either", many.first, "CPU-ms", many.floor, COLD)


WHAT = {"page": "its page", "tasks": "its tasks", "post": "a message posted"}


async def _measure(place: Path, entries: int) -> Costs:
    place.mkdir()
    async with office(place) as at:
        case = await at.case("noor")
        await fill(at, case, entries)
        noor, path, kept = at["noor"], f"/cases/{case}", at.site.runner.app[MEMORY]
        status, text = await noor.get(path)
        assert status == 200
        token = await noor.token(path)
        page = await _best(lambda: noor.get(path))
        first = await _best(lambda: _first(noor, path, kept, FoundGood()))
        anew = await _best(lambda: _first(noor, path, kept, messages.GOOD))
        tasks = await _best(lambda: noor.get(path + "/tasks"))
        mine = await _best(lambda: noor.get("/cases"))
        floor = await _floor(at, case, len(text))
        return Costs(page, first, anew, tasks, await _best(lambda: _post(noor, path, token)), mine, floor)


async def _post(visitor: Visitor, path: str, token: str) -> None:
    status, _, _ = await visitor.ask("POST", f"{path}/say/message", {"text": TEXT, "token": token})
    assert status == 303


async def fill(at: Office, case: str, entries: int) -> None:
    """A year's work: messages for the most part, contacts, decisions, and tasks with their progress."""
    keys, viewer, now = at.keys["noor"], at["noor"].viewer, at.site.kernel.node.now()

    def entry(number: int, done: list[str]) -> Entry:
        if number % 10 == 1:
            return Contact(at=now, who="bafuko-tezara", how="Phone", on="2026-11-20", reached="Reached", outcome=TEXT)
        if number % 10 == 2:
            return Decision(at=now, what=TEXT, why=TEXT, who=("Noor", "Daan"))
        if number % 10 == 3:
            return Task(at=now, what=f"Task {number}", due="2031-05-01")
        if number % 10 == 4:
            return Progress(at=now, of=done[-1], state="Done")
        return Message(at=now, text=TEXT)

    def work(session: Any, node: Any) -> None:
        opened, tasks = desk.look_at(session, node, viewer, keys, case).opened, list[str]()
        for number in range(entries - 1):
            made = room_content.write(session, node, opened, document(entry(number, tasks)))
            if number % 10 == 3:
                tasks.append(made)

    await at.site.write(work)


async def _floor(at: Office, case: str, size: int) -> float:
    opened = await at.desk("noor", case)
    query = sa.select(SealedMessage.uri, SealedMessage.body, SealedMessage.ck, SealedMessage.author, SealedMessage.organisation)
    rows = await at.site.kernel.database.read(lambda session: session.execute(query).all())
    keys = await at.site.kernel.database.read(lambda session: [key.public for key in people.listed(session, at["noor"].viewer.person_id)])
    template = jinja2.Environment(autoescape=True).from_string("{% for part in parts %}<p>{{ part }}</p>{% endfor %}")
    parts = ["x" * 93] * (size // 100)

    async def least() -> None:
        secrets, now = opened.opened.secrets, opened.look.now
        contents = [(row, messages.open_sealed(messages.kept(row.body, row.uri), secrets[row.ck], keys).content) for row in rows]
        fold((Arrived(row.uri, row.author, row.organisation, now, *read(content, "")) for row, content in contents), opened.look)
        template.render(parts=parts)

    return await _best(least)


async def _first(visitor: Visitor, path: str, kept: Memory, good: FoundGood) -> None:
    """As a node answers after its start, where no signature was found good yet, or after somebody has signed in anew."""
    messages.GOOD = good
    kept.places.clear()
    await visitor.get(path)


async def _best(act: Callable[[], Any]) -> float:
    """Milliseconds of processor time of one, the best of several blocks."""
    found = []
    for _ in range(BLOCKS):
        gc.collect()
        began = time.process_time()
        for _ in range(EACH):
            await act()
        found.append((time.process_time() - began) / EACH)
    return min(found) * 1e3
