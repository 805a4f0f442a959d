"""Shows how partners vouch for each other: towards all others, for the keys that were compared, taken back, and never for themselves."""

from pathlib import Path
from typing import Any

import pytest

from fedcollab.admin import partners as acts
from fedcollab.admin import trust
from fedcollab.admin.look import look
from fedcollab.admin.status import status
from fedcollab.base.clock import new_id
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import partners, succession
from fedcollab.federation.models import BLOCKED
from tests import nodes
from tests.nodes import Here, until

from .conftest import Scene
from .test_key_rotation import offered


async def vouched(here: Here) -> list[tuple[Any, ...]]:
    return await here.sql("SELECT about_host, keys FROM vouch ORDER BY about_host")


async def _is(found: Any, wanted: object) -> bool:
    return bool(await found == wanted)


async def test_a_word_reaches_all_other_partners_follows_the_keys_and_is_taken_back(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "A", "B", "New", "Late") as (a, b, new, late):
        await nodes.befriend(a, b)
        await nodes.befriend(a, new)
        await a.write(trust.check, a.viewer, new.url)
        await a.write(trust.vouch, a.viewer, new.url)
        first = (await new.read(succession.status, new.kernel.node)).keys
        await until("B knows", lambda: _is(vouched(b), [(new.host, first)]))
        assert await vouched(new) == [], "it is not told to whom it is about"
        await nodes.befriend(a, late)
        await until("who came later knows", lambda: _is(vouched(late), [(new.host, first)]))
        await acts.add(b.kernel, b.viewer, new.url)
        there = await b.read(look, b.kernel.node, new.url)
        assert ([word.name for word in there.vouchers], there.vouchers[0].keys == there.keys, there.vouched) == (["A"], True, False)
        line = next(p for p in (await b.read(status))["partners"] if p["host"] == new.host)
        assert (line["vouched_by"], line["vouched_other_keys"]) == (["A"], [])

        made = await new.write(succession.rotate, new.viewer)
        await until("the offer", lambda: offered(a))
        await a.write(trust.accept_keys, a.viewer, new.url)
        await until("the word is for the new keys", lambda: _is(vouched(b), [(new.host, made.successor)]))
        await a.write(acts.change, a.viewer, new.url, BLOCKED)
        for one in (b, late):
            await until("it is taken back", lambda one=one: _is(vouched(one), []))
        assert (await a.read(partners.find, new.url)).vouched_keys == ""


def offer(p: nodes.Rogue, about: Any, keys: Any = "a" * 64, kind: str = "Offer") -> dict[str, Any]:
    word = {"type": ap.VOUCH, "object": about, ap.KEYS: keys}
    return ap.activity(kind, p.uri(f"/a/{new_id()}"), p.uri("/actor"), word if kind == "Offer" else {"type": "Offer", "object": word})


@pytest.mark.parametrize("wrong", ["itself", "us", "no keys", "short keys", "no address", "two", "by a person"])
async def test_a_word_for_oneself_or_of_a_wrong_shape_is_refused(scene: Scene, wrong: str) -> None:
    p, here, about = scene.p, scene.here, "https://new.example/actor"
    made = {
        "itself": offer(p, p.uri("/actor")),
        "us": offer(p, here.url + "/actor"),
        "no keys": offer(p, about, None),
        "short keys": offer(p, about, "abc"),
        "no address": offer(p, "new.example"),
        "two": offer(p, [about, "https://other.example/actor"]),
        "by a person": offer(p, about) | {"actor": scene.author},
    }[wrong]
    assert await p.send(here, made) == 202
    await here.quiet()
    assert await vouched(here) == []
    assert await p.send(here, offer(p, about)) == 202
    await here.quiet()
    assert await vouched(here) == [("new.example", "a" * 64)]


async def test_a_word_has_no_effect_but_to_be_shown(scene: Scene) -> None:
    p, here, x = scene.p, scene.here, await nodes.rogue("New")
    assert await p.send(here, offer(p, x.uri("/actor"))) == 202
    await here.quiet()
    before = await here.tables()
    assert await x.send(here, x.create(x.uri("/people/sokha"), scene.group.uri)) == 403
    assert (await here.tables(), x.fetched) == (before, [])
    found = (await here.read(status))["applications"]
    assert [(line["host"], line["vouched_by"]) for line in found] == [(f"127.0.0.1:{x.port}", ["Tamarind"])]
    await x.stop()
    await scene.twin()


async def test_only_the_voucher_itself_takes_a_word_back_and_the_last_one_counts(scene: Scene) -> None:
    p, here, about = scene.p, scene.here, "https://new.example/actor"
    for keys in ("a" * 64, "b" * 64):
        assert await p.send(here, offer(p, about, keys)) == 202
    other = offer(p, about, kind="Undo") | {"actor": scene.author}
    assert await p.send(here, other) == 202
    await here.quiet()
    assert await vouched(here) == [("new.example", "b" * 64)]
    assert await p.send(here, offer(p, about, kind="Undo")) == 202
    await here.quiet()
    assert await vouched(here) == []
