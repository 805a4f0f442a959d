"""All that names a person is erased by one act: of them alone, and of the rest what is ticked; a little at a time."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fedcollab.base.database import TOPICS, wake
from fedcollab.features.cases import erasing
from fedcollab.features.cases.mending import Erased
from fedcollab.features.cases.people import Identity
from fedcollab.features.cases.work import Contact, Message, Step
from fedcollab.sealing import crossing, going, lessened
from tests.nodes import until

from .at_desk import Desk, desk_with_people
from .desks import office
from .entries import P, S
from .writing import opened, send, write


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with office(tmp_path) as made:
        yield await desk_with_people(made)


async def left(desk: Desk) -> int:
    return await desk.office.site.kernel.database.read(going.left, desk.id)  # type: ignore[no-any-return]


async def many(desk: Desk, number: int) -> None:
    """Noor has written as many steps for the person, and as many messages that call them by their code."""
    for at in range(number):
        await desk.office.say("noor", desk.id, Step(at=desk.now, person=P, support="Legal", what=f"CANARY-{at}"))
        await desk.office.say("noor", desk.id, Message(at=desk.now, text=f"MENTION-{at} of {P}"))


async def test_what_mentions_somebody_by_code_or_name_is_shown_and_ticked_or_left(desk: Desk) -> None:
    await desk.office.say("noor", desk.id, Identity(at=desk.now, person=P, name="Sopheap Lantern"))
    for text in (f"CANARY-CODE {P.upper()}", "CANARY-NAME sopheap lantern", "CANARY-NOBODY"):
        await desk.office.say("noor", desk.id, text)
    both = Contact(at=desk.now, who="Both", people=(P, S), how="Phone", on="2026-11-01", reached="Reached", outcome="CANARY-BOTH")
    await desk.office.say("noor", desk.id, both)
    path = desk.person() + "/erase"
    page = await desk.page(path)
    shown = [word for word in ("CANARY-CODE", "CANARY-NAME", "CANARY-BOTH", "CANARY-NOBODY") if word in page]
    assert shown == ["CANARY-CODE", "CANARY-NAME", "CANARY-BOTH"]
    assert "2 entries that are about this person alone" in page
    sent = await opened(desk.noor, path)
    status, _, page = await send(desk.noor, path, sent | {"alone": []}, why="Words of mine")
    assert (status, "Tick what is to be erased" in page, "Words of mine" in page) == (422, True, True)
    code = next(shown.id for shown in (await desk.case()).timeline if "CANARY-CODE" in getattr(shown.entry, "text", ""))
    assert (await write(desk.noor, path, also=[desk.act("", code).rpartition("/")[2]], why="She asked for it"))[0] == 303
    page = await desk.page()
    assert [word in page for word in ("CANARY-CODE", "CANARY-NAME", "CANARY-BOTH", "Sopheap Lantern")] == [False, True, True, False]


@pytest.mark.rule("P29")
async def test_however_much_it_is_one_act_erases_it_in_units_that_hold_nobody_up_and_go_on_after_a_stop(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "MOST", 7)
    await many(desk, 9)
    path, held = desk.person() + "/erase", list[float]()
    page = await desk.page(path)
    everything = {"also": [one.split('"')[0] for one in page.split('name="also" value="')[1:]]}
    assert len(everything["also"]) == 9
    go_on = going.go_on

    def timed(session: Any, node: Any) -> bool:
        begun = time.thread_time()  # the writer's, whatever else the machine does
        if len(held) == 2 or not go_on(session, node):  # somebody waits no longer, and the node stops
            return False
        held.append(time.thread_time() - begun)
        return True

    with monkeypatch.context() as stops:
        stops.setattr(going, "go_on", timed)
        stops.setattr(going, "GOING", "nobody")
        status, to, _ = await send(desk.noor, path, await opened(desk.noor, path) | everything, why="She asked for it")
        assert (status, to) == (303, f"{desk.path}/holds#going")
        page = await desk.page(desk.path + "/holds")
        rest = 19 - 2 * going.EACH
        assert (await left(desk), f"{rest} entries of ours are out of sight and being destroyed" in page) == (rest, True)
        pages = await desk.every_page("noor")
        assert not [at for at, page in pages.items() if "CANARY-" in page or "MENTION-" in page]
    await desk.office.site.write(lambda session, _node: wake(session, going.GOING))  # as at a start

    async def done() -> bool:
        return not await left(desk)

    await until("it goes on by itself to its end", done)
    assert await desk.office.sql("SELECT count(*) FROM sealed_message WHERE state = 'erased'") == [(19,)]
    assert "being destroyed" not in await desk.page(desk.path + "/holds")
    assert min(held) < 0.05


@pytest.mark.rule("P29")
async def test_what_a_form_leaves_goes_on_with_its_commit_and_waits_for_no_minute(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "SECONDS", -1.0)
    await many(desk, 3)
    path = desk.person() + "/erase"
    status, _, _ = await send(desk.noor, path, await opened(desk.noor, path), all="yes", why="She asked for it")
    assert status == 303

    async def done() -> bool:
        return await desk.office.sql("SELECT count(*) FROM sealed_message WHERE state = 'erased'") == [(7,)]

    await until("all of it is gone", done)


@pytest.mark.rule("P28", "P29")
async def test_what_asks_for_an_erasure_is_heard_by_who_keeps_it_and_nobody_who_has_locked_their_access_asks(desk: Desk) -> None:
    at = desk.office
    open_desk, unit = await at.desk("noor", desk.id), at.site.write
    entry = Erased(at=desk.now, of=(open_desk.case.timeline[-1].id,), why="She asked for it")

    def says(session: Any, node: Any) -> set[str]:
        erasing._say(session, node, open_desk, entry)
        return set(session.info[TOPICS])

    assert lessened.TOPIC in await unit(says)
    await unit(crossing.lock, at["noor"].viewer)
    with pytest.raises(crossing.LockedAway):
        await unit(says)
