"""Shows that nothing that is done in a case of many entries holds the writer longer than a unit may: opening it is left to readers."""

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.base.writer import SqliteEngine, Unit
from fedcollab.features.cases.handles import handle
from fedcollab.features.cases.people import Person
from fedcollab.features.cases.record import Entry
from fedcollab.features.cases.sharing import Consent
from fedcollab.features.cases.work import Message, Task
from fedcollab.sealing.room_models import SealedFile
from tests.bench.casing import fill
from tests.features.cases.desks import Office, partners
from tests.features.cases.filed import send, take
from tests.features.cases.test_access_pages import invited
from tests.features.referrals.test_referral_pages import send as refer
from tests.features.referrals.test_referral_pages import to_the_end
from tests.flows.test_guests import comes, let_in, link_for, row

ENTRIES, MOST, TRIES = 1_000, 0.05, 3  # seconds of processor time; of so many tries the best counts, where an act can be done again
CODE = "bafuko-tezara"
Act = Callable[[], Awaitable[Any]]


@contextmanager
def units(at: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The processor time of each unit that the node's writer runs."""
    attempt, found, mine = SqliteEngine._attempt, list[float](), at.site.kernel.database.backend

    def counted(self: SqliteEngine, connection: sa.Connection, unit: Unit) -> bool:
        began = time.thread_time()
        try:
            return attempt(self, connection, unit)
        finally:
            if self is mine:
                found.append(time.thread_time() - began)

    with monkeypatch.context() as patch:
        patch.setattr(SqliteEngine, "_attempt", counted)
        yield found


class Watched:
    """Does acts and keeps, by their names, how long the longest unit of each held the writer."""

    def __init__(self, found: list[float]) -> None:
        self.found, self.longest = found, dict[str, float]()

    async def once(self, name: str, act: Act) -> Any:
        self.found.clear()
        answer = await act()
        status = answer[0] if isinstance(answer, tuple) else 200
        assert status in (200, 303), (name, answer)
        self.longest[name] = min(max(self.found, default=0.0), self.longest.get(name, 1e9))
        return answer

    async def often(self, name: str, act: Act) -> None:
        for _ in range(TRIES):
            await self.once(name, act)
            if self.longest[name] <= MOST:
                return


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_no_act_in_a_case_of_a_thousand_entries_holds_the_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with partners(tmp_path) as (at, other):
        case, now, noor = await at.case("noor"), at.site.kernel.node.now(), at["noor"]
        path, daan = f"/cases/{case}", at["daan"].viewer.person_id
        await fill(at, case, ENTRIES)

        async def said(entry: Entry) -> str:
            return handle(case, await at.say("noor", case, entry))

        async def refers() -> Any:
            return await refer(at, case, await to_the_end(at, other, case))

        def post(to: str, **form: str) -> Act:
            return lambda: noor.post(f"{path}/{to}", at="/settings", **form)

        await at.say("noor", case, Person(at=now, person=CODE, role="PotentialVictim"))
        with units(at, monkeypatch) as found:
            do = Watched(found)
            await do.often("page", lambda: noor.get(path))
            await do.often("say/message", post("say/message", text="She is safe."))
            await do.often("say/decision", post("say/decision", what="No address is shared.", why="She wishes it.", who="Noor"))
            await do.often("search", post("search", q="station"))
            task = await said(Task(at=now, what="Ask for the papers", due="2099-05-01"))
            await do.often("new/progress", post(f"new/progress?of={task}", state="Done"))
            hidden = await said(Message(at=now, text="A name that should not stand here."))
            await do.once("mask", post(f"mask/{hidden}", why="A name"))
            await do.once("erase", post(f"erase/{hidden}", why="A name", sure="yes"))
            person = f"people/{handle(case, CODE)}"
            await do.once("copy", post(f"{person}/copy", form="json", why="All of it is free text"))
            await do.once("access/assign", post("access/assign", person=daan, part="identity"))
            await do.often("access/needs", post("access/needs", person=daan, part="contact"))
            await do.often("people/needs", post(f"{person}/needs", colleague=daan, part="health"))
            await do.once("access/unassign", post("access/unassign", person=daan))
            await do.often("files", lambda: send(noor, case, b"Where is she?"))
            [file] = await at.site.kernel.database.read(lambda s: s.scalars(sa.select(SealedFile.id).limit(1)).all())
            await do.often("file opened", lambda: take(noor, f"{path}/files/{file}"))
            await do.once("files/mark", post(f"files/{file}/mark"))
            await do.often("export", post("export"))
            await comes(at, await link_for(at, case))
            await do.once("guests", lambda: let_in(at, case))
            await do.once("guests/end", post(f"guests/{(await row(at)).id}/end"))
            said_of: dict[str, Any] = dict(how="Spoken", capacity="Adult", decided_by="Self", until="2199-01-31", what="Who she is")
            consent = await said(Consent(at=now, to=other.me, person=CODE, parts=("identity",), **said_of))
            await do.often("refer", refers)
            await do.once("withdraw", post(f"withdraw/{consent}", how="Spoken"))
            await do.once("access/invite", lambda: invited(at, case))
            await do.once("cases/read", lambda: noor.get("/cases/read"))
        slow = {name: f"{seconds * 1e3:.0f} ms" for name, seconds in do.longest.items() if seconds > MOST}
        print({name: f"{seconds * 1e3:.0f}" for name, seconds in do.longest.items()})
        assert slow == {}
