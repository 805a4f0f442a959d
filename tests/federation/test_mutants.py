"""Shows that whatever a partner sends is refused or stored, never an error, and that all pages can be opened and turned afterwards."""

import contextlib
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from fedcollab.base.clock import iso, new_id, system_clock
from fedcollab.federation import activitystreams as ap
from tests.hostile import acted_on
from tests.raw import CLOSE, ask, request, statuses

from .mutants import ODD, mutated, structured
from .whole import Whole, whole

FEW = pytest.param(150, 150, 100, id="some")
ALL = pytest.param(10_000, 10_000, 1_000, id="all", marks=[pytest.mark.full, pytest.mark.timeout(3600)])


def good_ones(here: Whole, thread: str) -> list[dict[str, Any]]:
    """An activity of each kind that we take, with ids of its own."""
    p, author, group = here.p, here.author, here.group.uri
    created = {k: v for k, v in p.create(author, group, context=thread, inReplyTo=thread).items() if k != "proof"}
    obj = created["object"]
    later = {"updated": iso(system_clock())}
    return [
        created,
        {k: v for k, v in p.create(author, group, name="Opener", type="Article", url=[obj["id"]]).items() if k != "proof"},
        ap.activity("Update", p.uri(f"/activities/{new_id()}"), author, obj | later | {"content": "<p>changed</p>"}),
        ap.activity("Delete", p.uri(f"/activities/{new_id()}"), author, {"id": obj["id"], "type": "Tombstone"}),
        ap.activity("Follow", p.uri(f"/activities/{new_id()}"), p.uri("/actor"), group),
        ap.activity("Update", p.uri(f"/activities/{new_id()}"), p.uri("/actor"), p.documents["/actor"]),
        ap.activity("Announce", p.uri(f"/activities/{new_id()}"), author, created, **{ap.INTRODUCES: [p.documents["/people/sokha"]]}),
    ]


async def send(here: Whole, activity: dict[str, Any], chance: random.Random) -> int:
    """With a good signature by whoever it says (or by our author), and often with a good proof."""
    actor = activity.get("actor")
    actor = actor if isinstance(actor, str) and actor in here.p.signers else here.author
    proved = activity
    if chance.random() < 0.5:
        with contextlib.suppress(ValueError, KeyError):  # what has no context or no canonical form can't be proved
            proved = here.p.prove(activity, actor)
    return await here.p.send(here.here, json.dumps(proved).encode(), actor=actor)


async def raw_requests(here: Whole, count: int, chance: random.Random) -> None:
    """Requests of random bytes, and good ones with some bytes changed."""
    good = [
        request(here.site, "GET", "/login", b"Accept-Language: fr;q=0.8, *", b"Cookie: a=b; c=d", CLOSE),
        request(
            here.site, "POST", "/login", b"Content-Type: application/x-www-form-urlencoded", CLOSE, body=b"username=a&password=b&next=/"
        ),
        request(here.site, "POST", "/inbox", b'Signature: keyId="x",signature="y"', b"Digest: SHA-256=x", CLOSE, body=b"{}"),
        request(here.site, "GET", "/.well-known/webfinger?resource=acct:a@b", CLOSE),
        request(here.site, "GET", "/static/app.css", b"Range: bytes=0-10", b'If-None-Match: "x"', b"If-Modified-Since: x", CLOSE),
    ]
    for number in range(count):
        sent = bytearray(chance.choice(good) if number % 10 else chance.randbytes(200) + b"\r\n\r\n")
        for _ in range(chance.randrange(1, 6)):
            sent[chance.randrange(len(sent))] = chance.choice([0, 9, 10, 13, 32, 37, 58, 127, 255, chance.randrange(256)])
        cut = bytes(sent) + b"\r\n\r\n"
        answer = await first_answer(here, cut)
        assert answer is None or answer < 500, cut


async def first_answer(here: Whole, data: bytes) -> int | None:
    """The status, or None where the node waits for more of it."""
    try:
        found = statuses(await ask(here.site, data, 0.3))
    except TimeoutError:
        return None
    return found[0] if found and found[0] != 505 else None


@pytest.mark.rule("R12", "DOS-15")
@pytest.mark.parametrize(("changed", "composed", "raw"), [FEW, ALL])
async def test_thousands_of_almost_good_activities_and_requests_break_nothing_that_is_shown(
    tmp_path: Path, changed: int, composed: int, raw: int, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(12)
    async with whole(tmp_path) as here:
        opener = here.p.create(here.author, here.group.uri, name="The thread", type="Article")
        assert await here.p.send(here.here, opener) == 202
        await here.here.quiet()
        thread = opener["object"]["id"]
        answers = [await send(here, mutated(chance.choice(good_ones(here, thread)), chance), chance) for _ in range(changed)]
        answers += [await send(here, structured(here.p, here.group.uri, chance), chance) for _ in range(composed)]
        assert set(answers) <= {202, 400, 401, 403, 413}
        assert answers.count(202) > len(answers) / 10, "most tests of a parser that refuses everything test nothing"
        await raw_requests(here, raw, chance)
        await here.here.quiet()
        await judge(here, caplog)
        twin = here.p.create(here.author, here.group.uri, content="<p>the last good one</p>", context=thread)
        assert await here.p.send(here.here, twin) == 202
        await here.here.quiet()
        assert await here.here.sql("SELECT count(*) FROM post WHERE uri = :uri", uri=twin["object"]["id"]) == [(1,)]


@pytest.mark.rule("DOS-15")
async def test_every_odd_value_in_every_property_leaves_every_page_whole(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with whole(tmp_path) as here:
        opener = here.p.create(here.author, here.group.uri, name="The thread", type="Article")
        assert await here.p.send(here.here, opener) == 202
        for number, odd in enumerate(ODD):
            where = {"context": opener["object"]["id"]} if number % 3 else {}
            for names in (
                ("content", "name", "summary"),
                ("published", "updated"),
                ("contentMap", "tag", "url"),
                ("inReplyTo", "attachment"),
            ):
                note = where | dict.fromkeys(names, odd)
                assert await here.p.send(here.here, here.p.create(here.author, here.group.uri, **note)) in (202, 400)
        await here.here.quiet()
        await judge(here, caplog)


async def judge(here: Whole, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is stuck, nothing failed, each page opens, each list turns to its end, and no text of a stranger acts."""
    assert await here.here.sql("SELECT state, reason FROM inbox_item WHERE state NOT IN ('done', 'refused')") == []
    assert [record.getMessage() for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []
    pages = await here.views()
    assert {path: status for path, (status, _) in pages.items() if status not in (200, 303)} == {}
    assert [path for path, (_, text) in pages.items() if acted_on(text)] == []
    [(posts,)] = await here.here.sql("SELECT count(*) FROM post")
    assert len({found for _, text in pages.values() for found in shown(text)}) == posts, "no list ends early"
    [(threads,)] = await here.here.sql("SELECT count(*) FROM thread")
    assert len([path for path in pages if path.startswith("/threads/") and "?" not in path]) >= threads


def shown(text: str) -> list[str]:
    return re.findall(r'id="p-([0-9a-f-]{36})"', text)
