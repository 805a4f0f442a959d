"""Shows that a partner whose documents come slowly holds up nobody else's posts and changes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from fedcollab.base.clock import new_id
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import streams
from tests import nodes

from .test_forwarded import Three, three

__all__ = ["Three", "three"]


@contextlib.asynccontextmanager
async def slow(three: Three, which: Callable[[str], bool]) -> AsyncIterator[set[str]]:
    """G's server answers nothing of these paths meanwhile; those that it was asked for. Who asks waits longer than `until` does."""
    asked, over = set[str](), asyncio.Event()

    async def answer(request: web.Request) -> web.Response | None:
        if request.path.startswith("/people/late") and which(request.path):
            asked.add(request.path)
            await over.wait()
        return None

    three.g.answer = answer
    try:
        yield asked
    finally:
        over.set()


async def under_way(asked: set[str]) -> None:
    async def probe() -> bool:
        return bool(asked)

    await nodes.until("a document is waited for", probe)


async def by_newcomers(three: Three, lanes: int) -> list[Any]:
    """G sends so many posts by people whom nobody knows yet."""
    three.g.gate = None
    group = three.g.actor("/groups/own", "Group", audience=three.g.uri("/groups/own"))
    sent = []
    for _ in range(lanes):
        person = three.g.actor(f"/people/late{new_id()}", "Person")
        inner = three.g.create(person["id"], group["id"], context=three.g.uri(f"/threads/{new_id()}"))
        sent.append(ap.activity("Announce", three.g.uri(f"/activities/{new_id()}"), group["id"], inner, to=[group["id"] + "/followers"]))
    for one in sent:
        assert await three.g.send(three.here, one, actor=group["id"], key="ed25519") == 202
    return sent


@pytest.mark.rule("R11")
@pytest.mark.parametrize("lanes", [2, 20])
async def test_a_partner_whose_documents_come_slowly_holds_up_nobody_elses_posts(three: Three, lanes: int) -> None:
    activity = three.by(three.p)

    async def there() -> Any:
        return await three.here.sql("SELECT 1 FROM post WHERE uri = :uri", uri=activity["object"]["id"])

    async with slow(three, lambda _path: True) as asked:
        await by_newcomers(three, lanes)
        await under_way(asked)
        assert await three.p.send(three.here, activity) == 202
        await nodes.until("the other partner's post is here", there)


async def early(three: Three, seq: int, *, of: nodes.Rogue, late: bool) -> dict[str, Any]:
    """A change that comes before its post, from a partner that numbers what it sends; `late`: by somebody whose document comes slowly."""
    if late:
        group = of.actor("/groups/own", "Group") if of.uri("/groups/own") not in of.signers else {"id": of.uri("/groups/own")}
        person = of.actor(f"/people/late{new_id()}", "Person")["id"]
        inner = {**of.create(person, group["id"]), "type": "Update"}
        inner = of.prove({k: v for k, v in inner.items() if k != "proof"}, person)
        made = ap.activity("Announce", of.uri(f"/activities/{new_id()}"), group["id"], inner, to=[group["id"] + "/followers"])
    else:
        made = {k: v for k, v in three.by(of, updated="2026-01-01T00:00:00Z", content="<p>changed</p>").items() if k != "proof"}
        made = of.prove({**made, "type": "Update"}, made["actor"])
    assert await of.send(three.here, made, actor=made["actor"], key="ed25519", extra=streams.header(5, seq)) == 202
    return made


@pytest.mark.rule("R13")
@pytest.mark.parametrize("late", [0, 3])
async def test_what_came_too_early_waits_for_no_other_partners_documents(three: Three, late: int) -> None:
    known = set[str]()

    def again(path: str) -> bool:
        return path in known or known.add(path) is not None  # the first time is when it comes in

    async def too_early() -> Any:
        return await three.here.sql("SELECT 1 FROM inbox_item WHERE state = 'early' AND uri = :uri", uri=update["id"])

    async def there() -> Any:
        return await three.here.sql("SELECT 1 FROM post WHERE uri = :uri AND html LIKE '%changed%'", uri=obj["id"])

    async with slow(three, again) as asked:
        for seq in range(late):
            await early(three, seq + 10, of=three.g, late=True)
        if late:
            await under_way(asked)
        update = await early(three, 2, of=three.p, late=False)
        await nodes.until("the change has come too early", too_early)
        obj = {k: v for k, v in update["object"].items() if k != "updated"} | {"content": "<p>first</p>"}
        create = {k: v for k, v in update.items() if k != "proof"} | {"type": "Create", "id": three.p.uri("/activities/x"), "object": obj}
        assert await three.p.send(three.here, three.p.prove(create, update["actor"]), key="ed25519", extra=streams.header(5, 1)) == 202
        await nodes.until("the other partner's change is here", there)
