"""A referral of two people on the consent of each: whoever takes theirs back takes back what is theirs, and the last closes all of it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fedcollab.features.cases.people import Identity, Person
from fedcollab.features.cases.sharing import Consent, Withdrawn
from tests.features.cases.desks import Office, partners
from tests.nodes import until

from .test_referral_pages import CODE, STEPS, came, case_of, send, to_the_end

OTHER = "zewaro-gasuka"


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[tuple[Office, Office]]:
    async with partners(tmp_path) as made:
        yield made


@pytest.mark.rule("P3")
async def test_of_two_people_referred_one_takes_back_their_own_and_the_last_closes_it(
    two: tuple[Office, Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two
    case, now = await case_of(one), one.site.kernel.node.now()
    await one.say("noor", case, Person(at=now, person=OTHER, role="PotentialVictim"))
    await one.say("noor", case, Identity(at=now, person=OTHER, name="Dara Lantern"))
    said: dict[str, Any] = dict(
        how="Spoken", capacity="Adult", decided_by="Self", until="2199-01-31", what="Who they are", parts=("identity",)
    )
    hers, his = [await one.say("noor", case, Consent(at=now, to=other.me, person=code, **said)) for code in (CODE, OTHER)]
    monkeypatch.setitem(STEPS, "yes", {"take": [f"{CODE}/", f"{CODE}/identity", f"{OTHER}/", f"{OTHER}/identity"]})
    page = await to_the_end(one, other, case, consent=[hers, his], without="", without_why="")
    assert (await send(one, case, page))[0] == 303
    path = f"/referrals/{await came(other)}"
    await other["mila"].post(f"{path}/accept", at=path, people=other["noor"].viewer.person_id)
    await until("they are inside", lambda: other.sql("SELECT 1 FROM room WHERE state = 'open'"))
    [[room]] = await one.sql("SELECT room.id FROM room JOIN referral ON referral.room = room.uri")
    await one["noor"].get(f"/cases/{room}")
    await other.keys_come()
    [[there]] = await other.sql("SELECT id FROM room")

    async def names() -> set[str]:
        found = (await other.desk("noor", there)).case.timeline
        return {shown.entry.name for shown in found if isinstance(shown.entry, Identity)}

    await until("what was written before has come", lambda: other.sql("SELECT count(*) FROM sealed_message HAVING count(*) = 6"))
    assert await names() == {"Sopheap Lantern", "Dara Lantern"}
    await one.say("noor", room, Identity(at=now, person=CODE, name="Sopheap L."))
    await until("it is there", lambda: other.sql("SELECT count(*) FROM sealed_message HAVING count(*) = 7"))
    await one.say("noor", case, Withdrawn(at=now, of=hers))
    await until("it has ended there", lambda: other.sql("SELECT 1 FROM consent_mark WHERE state = 'withdrawn'"))
    assert await names() == {"Dara Lantern"}, "also what was written of her since"
    status, page = await other["noor"].get(f"/cases/{there}")
    assert (status, "Sopheap" in page) == (200, False)
    await one.say("noor", case, Withdrawn(at=now, of=his))
    await until("both have ended", lambda: other.sql("SELECT count(*) FROM consent_mark WHERE state = 'withdrawn' HAVING count(*) = 2"))
    assert (await other["noor"].get(f"/cases/{there}"))[0] == 422
