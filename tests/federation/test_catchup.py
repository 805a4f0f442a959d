"""Shows that what a node has missed it asks for until its partner's stream is whole, and that asking believes nothing but proofs."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa
from aiohttp import web

from fedcollab.base.clock import MINUTE, new_id, system_clock
from fedcollab.base.session import Session
from fedcollab.features.discussions import service
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import catchup, signatures, streams, workers
from fedcollab.federation.delivery import Outcome, Parcel
from fedcollab.federation.models import Partner
from tests import nodes

from .conftest import Scene


async def pause(here: nodes.Here, *, on: bool) -> None:
    """The node sends nothing for now, or again."""
    await here.read_write(lambda session: session.execute(sa.update(Partner).values(paused_at=1 if on else None, next_try_at=0)))


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[list[nodes.Here]]:
    async with nodes.running(tmp_path, "Meridian Outreach", "Casa Ladera") as made:
        await nodes.befriend(*made)
        yield made


async def posts(here: nodes.Here) -> list[str]:
    return [row[0] for row in await here.sql("SELECT html FROM post WHERE deleted_at IS NULL ORDER BY place")]


async def numbers(here: nodes.Here) -> tuple[Any, ...]:
    """(heard, wanted, error) of the only partner's stream."""
    return (await here.sql("SELECT heard_epoch, heard_seq, resync_at, resync_error FROM partner"))[0]


async def ask(here: nodes.Here) -> None:
    await here.write(catchup.want)
    await nodes.until("the stream is whole", lambda: here.sql("SELECT 1 FROM partner WHERE resync_at IS NULL AND whole_at IS NOT NULL"))
    await here.quiet()


async def test_what_was_never_sent_arrives_by_asking_in_order_and_is_not_sent_again(two: list[nodes.Here]) -> None:
    host, other = two
    group = await host.group()
    await nodes.until("the group", lambda: other.sql("SELECT 1 FROM actor WHERE kind = 'Group'"))
    await pause(host, on=True)
    first = await host.write(service.post_thread, host.viewer, group.id, title="Away", text="0")
    for number in range(1, 5):
        await host.write(service.post_reply, host.viewer, first.thread_id, text=str(number))
    gone = await host.write(service.post_reply, host.viewer, first.thread_id, text="never sent")
    await host.write(service.delete, host.viewer, gone.post_id)
    await ask(other)
    assert await posts(other) == [f"<p>{number}</p>" for number in range(5)]
    waits = "SELECT count(*) FROM delivery WHERE state = 'waiting'"
    assert await host.sql(waits) == [(0,)], "asking for more has acknowledged all"
    dropped = await host.sql("SELECT error FROM delivery WHERE state = 'dropped'")
    assert dropped == [("deleted before it was sent",)]
    epoch, last = (await host.sql("SELECT epoch, last_seq FROM partner"))[0]
    assert await numbers(other) == (epoch, last, None, "")
    before = await other.tables()
    await pause(host, on=False)
    await ask(other)
    assert await other.tables() == before, "nothing comes twice"
    await host.write(service.post_reply, host.viewer, first.thread_id, text="and on")
    await nodes.until("the next one", lambda: other.sql("SELECT 1 FROM post WHERE html = '<p>and on</p>'"))


async def test_deliveries_carry_their_numbers_and_a_gap_that_stays_a_minute_is_asked_for(two: list[nodes.Here]) -> None:
    host, other = two
    group = await host.group()
    posted = await host.write(service.post_thread, host.viewer, group.id, title="Gap", text="first")
    await nodes.until("the first", lambda: other.sql("SELECT 1 FROM post"))
    await other.write(catchup.listen)
    assert (await numbers(other))[:2] == (await host.sql("SELECT epoch, last_seq FROM partner"))[0]
    await host.read_write(lambda session: session.execute(sa.update(Partner).values(last_seq=Partner.last_seq + 1)))  # one that is lost
    await host.write(service.post_reply, host.viewer, posted.thread_id, text="second")
    await nodes.until("the second", lambda: other.sql("SELECT 1 FROM post WHERE html = '<p>second</p>'"))
    await other.write(catchup.listen)
    assert (await numbers(other))[2] is None, "what comes in at once may be on its way"

    def later(session: Session) -> None:
        session.execute(sa.text("UPDATE inbox_item SET received_at = received_at - :minute"), {"minute": MINUTE})
        catchup.listen(session, other.kernel.node)

    await other.read_write(later)
    await nodes.until("whole", lambda: other.sql("SELECT 1 FROM partner WHERE resync_at IS NULL"))
    assert (await numbers(other))[:2] == (await host.sql("SELECT epoch, last_seq FROM partner"))[0]


@pytest.mark.rule("FED-06")
async def test_a_partner_that_lost_numbers_counts_in_a_new_epoch_and_is_heard_from_the_beginning(two: list[nodes.Here]) -> None:
    host, other = two
    group = await host.group()
    posted = await host.write(service.post_thread, host.viewer, group.id, title="Restored", text="first")
    await nodes.until("the first", lambda: other.sql("SELECT 1 FROM post"))
    await ask(other)
    heard = await numbers(other)

    def restore(session: Session) -> None:
        session.execute(sa.text("DELETE FROM delivery WHERE seq > 1"))
        session.execute(sa.update(Partner).values(last_seq=1))

    await host.read_write(restore)
    await ask(other)
    await host.write(service.post_reply, host.viewer, posted.thread_id, text="after")
    await nodes.until("the next", lambda: other.sql("SELECT 1 FROM post WHERE html = '<p>after</p>'"))
    await ask(other)
    epoch, seq, *_ = await numbers(other)
    assert epoch > heard[0]
    assert (epoch, seq) == (await host.sql("SELECT epoch, last_seq FROM partner"))[0]


@pytest.mark.rule("FED-06")
async def test_a_first_post_that_overtakes_its_groups_list_is_taken_in_once_that_has_come(
    two: list[nodes.Here], monkeypatch: pytest.MonkeyPatch
) -> None:
    host, other = two
    send = workers._send

    async def overtaken() -> list[tuple[Any, ...]]:
        return await other.sql("SELECT 1 FROM inbox_item WHERE state IN ('early', 'refused')")

    async def list_last(kernel: Any, to: Any, parcel: Parcel, signer: Any) -> Outcome:
        if json.loads(parcel.body)["type"] == "Update":
            await nodes.until("the post is there before it", overtaken)
        return await send(kernel, to, parcel, signer)

    monkeypatch.setattr(workers, "_send", list_last)
    group = await host.group()
    await host.write(service.post_thread, host.viewer, group.id, title="New", text="first")
    await nodes.until("the post", lambda: other.sql("SELECT 1 FROM post WHERE html = '<p>first</p>'"))


async def stream(rogue: nodes.Rogue, here: nodes.Here, since: str, actor: str = "/actor") -> tuple[int, dict[str, Any]]:
    url = f"{here.url}/actor/stream?since={since}"
    headers = signatures.sign(rogue.signers[rogue.uri(actor)]["rsa"], "GET", url, b"", system_clock())
    async with aiohttp.request("GET", url, headers=headers | {"Accept": ap.MEDIA_TYPE}) as answer:
        return answer.status, json.loads(await answer.text()) if answer.status == 200 else {}


async def test_a_stream_is_for_the_partners_organisation_alone(scene: Scene) -> None:
    assert (await stream(scene.p, scene.here, "0:0", "/people/sokha"))[0] == 403
    async with aiohttp.request("GET", f"{scene.here.url}/actor/stream?since=0:0") as unsigned:
        assert unsigned.status == 401
    for since in ("", "1", "1:x", "-1:2", "1:2:3", "9999999999999999999:1"):
        assert (await stream(scene.p, scene.here, since))[0] == 400, since
    status, page = await stream(scene.p, scene.here, "0:0")
    assert status == 200
    seqs = [entry[ap.SEQ] for entry in page["orderedItems"]]
    assert seqs == list(range(1, page[ap.LAST] + 1))
    assert {entry["object"]["type"] for entry in page["orderedItems"]} >= {"Accept", "Announce", "Update"}
    assert all("proof" in entry["object"] for entry in page["orderedItems"])
    assert (await stream(scene.p, scene.here, f"{page[ap.EPOCH]}:{page[ap.LAST]}"))[1]["orderedItems"] == []


def serve(p: nodes.Rogue, *activities: object, **over: object) -> None:
    """The partner's stream, one page, then nothing."""

    def answer(request: web.Request) -> web.Response:
        since = streams.parse(request.query["since"]) or (0, 0)
        items = [{ap.SEQ: at, "object": one} for at, one in enumerate(activities, 1) if at > (since[1] if since[0] == 7 else 0)]
        page = {"type": "OrderedCollectionPage", ap.EPOCH: 7, ap.LAST: len(activities), "orderedItems": items} | over
        return web.json_response(page, content_type=ap.MEDIA_TYPE)

    p.documents["/actor/stream"] = answer


@pytest.mark.rule("SIG-06", "ORG-01")
async def test_of_a_stream_only_what_its_own_authors_have_proved_is_believed(scene: Scene) -> None:
    p, here = scene.p, scene.here
    good, unproved = await scene.create(content="<p>good</p>"), await scene.create(content="<p>unproved</p>")
    unproved.pop("proof")
    changed = await scene.create(content="<p>changed</p>")
    changed["object"] = dict(changed["object"]) | {"content": "<p>altered</p>"}  # type: ignore[call-overload]
    p.actor("/people/other", "Person")
    others = p.prove({k: v for k, v in (await scene.create(content="<p>by another</p>")).items() if k != "proof"}, p.uri("/people/other"))
    foreign = await scene.create() | {"id": f"https://victim.example/activities/{new_id()}"}
    foreign = p.prove({k: v for k, v in foreign.items() if k != "proof"}, scene.author)
    ours = p.prove(ap.activity("Delete", p.uri(f"/activities/{new_id()}"), here.url + "/actor", "x"), scene.author)
    before = await here.tables()
    serve(p, unproved, changed, others, foreign, ours, "text", None, 7, [], {})
    await ask(here)
    after = await here.tables()
    assert after == before | {"actor": after["actor"], "actor_key": after["actor_key"], "inbox_item": before["inbox_item"] + 1}
    told = "not proved by their actors' keys: of the stream the numbers 1, 2, 3, 4, 5, 6, 7, 8, 9, 10"
    assert await here.sql("SELECT state, reason, body FROM inbox_item WHERE reason <> ''") == [("refused", told, "{}")]
    serve(p, unproved, changed, others, foreign, ours, "text", None, 7, [], {}, good)
    await ask(here)
    assert await here.sql("SELECT html FROM post WHERE html LIKE '%good%' OR html LIKE '%altered%'") == [("<p>good</p>",)]


async def test_an_author_not_met_before_is_fetched_and_one_that_is_nowhere_is_not_believed(scene: Scene) -> None:
    p, here = scene.p, scene.here
    p.actor("/people/new", "Person", name="New N.")
    p.actor("/people/nowhere", "Person")
    fresh, nowhere = p.create(p.uri("/people/new"), scene.group.uri), p.create(p.uri("/people/nowhere"), scene.group.uri)
    del p.documents["/people/nowhere"]
    serve(p, nowhere, fresh)
    await ask(here)
    uris = {row[0] for row in await here.sql("SELECT uri FROM post")}
    assert fresh["object"]["id"] in uris
    assert nowhere["object"]["id"] not in uris


@pytest.mark.parametrize(
    "over",
    [
        {ap.EPOCH: "7"},
        {ap.LAST: -1},
        {ap.LAST: 0},
        {"orderedItems": "none"},
        {"orderedItems": [{ap.SEQ: 2, "object": {}}, {ap.SEQ: 1, "object": {}}]},
        {ap.EPOCH: 1 << 53},
    ],
)
async def test_a_stream_that_can_not_be_is_an_error_told_to_the_admin_and_tried_again_later(scene: Scene, over: dict[str, Any]) -> None:
    before = await scene.here.tables()
    serve(scene.p, await scene.create(), **over)
    await scene.here.write(catchup.want)
    await nodes.until("the failure", lambda: scene.here.sql("SELECT 1 FROM partner WHERE resync_tries > 0"))
    _, _, again, error = await numbers(scene.here)
    assert again > system_clock()
    assert "stream" in error
    assert await scene.here.tables() == before
    serve(scene.p, good := await scene.create())
    await ask(scene.here)
    assert await scene.stored(good)


async def test_a_partner_whose_software_has_no_stream_is_left_in_peace(scene: Scene) -> None:
    await scene.here.write(catchup.want)
    await nodes.until("given up", lambda: scene.here.sql("SELECT 1 FROM partner WHERE resync_at IS NULL"))
    assert await numbers(scene.here) == (0, 0, None, "")
    await scene.twin()


async def test_a_number_counts_only_where_the_signature_covers_it(scene: Scene) -> None:
    plain, covered = await scene.create(), await scene.create()
    assert await scene.p.send(scene.here, plain, headers={streams.HEADER: "7:1"}) == 202
    body = json.dumps(covered).encode()
    url = scene.here.url + "/inbox"
    headers = signatures.sign(scene.p.signers[scene.author]["rsa"], "POST", url, body, system_clock(), extra=streams.header(7, 2))
    assert await nodes.raw_post(url, headers | {streams.HEADER: "7:3"}, body) == 401, "changed on its way"
    assert await nodes.raw_post(url, headers, body) == 202
    rows = dict(await scene.here.sql("SELECT uri, seq FROM inbox_item"))
    assert (rows[plain["id"]], rows[covered["id"]]) == (None, 2)


@pytest.mark.parametrize("text", ["", "1", ":", "1:", "1:2:3", "a:b", "-1:1", "1:-1", "99999999999999999:1", "1:\u0661"])
def test_what_is_no_place_in_a_stream_is_none(text: str) -> None:
    assert streams.parse(text) is None
    assert streams.parse("1:2, 1:2") is None, "two fields, as they are read together"
    assert streams.parse("1:2") == (1, 2)
