"""Shows that nothing that is done in a case of many entries holds the writer longer than a unit may: opening it is left to readers."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.features.cases.handles import handle
from fedcollab.features.cases.people import Person
from fedcollab.features.cases.record import Entry
from fedcollab.features.cases.sharing import Consent
from fedcollab.features.cases.work import Message, Task
from fedcollab.sealing.room_models import SealedFile
from tests.bench.casing import fill
from tests.features.cases.desks import partners
from tests.features.cases.filed import send, take
from tests.features.cases.test_access_pages import invited
from tests.features.referrals.test_referral_pages import send as refer
from tests.features.referrals.test_referral_pages import to_the_end
from tests.features.writer_held import Act, Watched, units
from tests.flows.test_guests import comes, let_in, link_for, row

ENTRIES, CODE = 1_000, "bafuko-tezara"


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
        print({name: f"{seconds * 1e3:.0f}" for name, seconds in do.longest.items()})
        assert do.slow() == {}
