"""Posts objects as real servers send them (fediverse-pasture-inputs 0.3.0) into a group and opens every page that shows them."""

import json
import re
import sys
import types
from typing import Any

import aiohttp

from fedcollab.base.clock import iso, new_id, system_clock
from fedcollab.federation import activitystreams as ap

from .conftest import Scene

ACTS = re.compile(r"<(script|style|iframe|img|video|audio|svg|form|object|embed)\b|\son\w+=|javascript:", re.IGNORECASE)
THEIRS = "http://pasture-one-actor"


def families() -> dict[str, list[dict[str, Any]]]:
    """All examples by what they are about. The package wants a runner beside it for one class that they don't use: a stand-in will do."""
    for name in ("fediverse_pasture", "fediverse_pasture.runner", "fediverse_pasture.runner.entry"):
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules["fediverse_pasture.runner.entry"].Entry = object  # type: ignore[attr-defined]
    from fediverse_pasture_inputs import available

    return {name: data.examples for name, data in available.items()}


def inputs() -> list[dict[str, Any]]:
    return [example for examples in families().values() for example in examples]


def activity(scene: Scene, example: dict[str, Any], group: str) -> dict[str, Any]:
    """An example as that package's own sender would post it, by our test's partner."""
    theirs = json.loads(json.dumps(example).replace(THEIRS + "/actor", scene.author).replace(THEIRS, scene.p.url))
    base = {
        "@context": ["https://www.w3.org/ns/activitystreams", {"Hashtag": "as:Hashtag", "sensitive": "as:sensitive"}],
        "type": "Note",
        "id": scene.p.uri(f"/object/{new_id()}"),
        "attributedTo": scene.author,
        "audience": group,
        "to": [ap.PUBLIC, group],
        "published": iso(system_clock()),
        "content": "text",
    }
    obj = {name: value for name, value in (base | theirs).items() if value is not None}
    made = ap.activity("Create", scene.p.uri(f"/activities/{new_id()}"), scene.author, obj, to=[ap.PUBLIC, group])
    return scene.p.prove(made, scene.author)


async def test_real_objects_are_accepted_shown_and_never_acted_on(scene: Scene) -> None:
    group = await scene.here.group("public", "TLP:CLEAR")
    examples = inputs()
    assert len(examples) == 262
    refused, accepted = [], []
    for example in examples:
        made = activity(scene, example, group.uri)
        status = await scene.p.send(scene.here, made)
        complete = bool(made["object"].get("id") and made["object"].get("type"))
        assert status == (202 if complete else 400), example
        (accepted if complete else refused).append(made)
    await scene.here.quiet()
    assert [sorted({"id", "type"} - set(made["object"])) for made in refused].count([]) == 0
    assert 0 < len(refused) <= 4
    states = await scene.here.sql("SELECT state, reason FROM inbox_item WHERE state <> 'done'")
    assert states == []
    posts = [made["object"] for made in accepted if set(ap.types(made["object"])) & {"Note", "Article", "Page", "Question"}]
    stored = {uri for (uri,) in await scene.here.sql("SELECT uri FROM post")}
    assert {obj["id"] for obj in posts} <= stored
    opened = 0
    for (thread_id,) in await scene.here.sql("SELECT id FROM thread"):
        page = await _page(scene, f"/threads/{thread_id}")
        if page is not None:
            opened += 1
            text = "".join(re.findall(r'<div class="text".*?</div>', page, re.DOTALL))
            assert not re.search(
                r"<(script|style|iframe|img|video|audio|svg|form|object|embed)\b|\son\w+=|javascript:", text, re.IGNORECASE
            )
    assert opened > 150


async def _page(scene: Scene, path: str) -> str | None:
    """A page as somebody who has not signed in gets it; None where it is not for them."""
    async with aiohttp.request("GET", scene.here.url + path) as answer:
        assert answer.status in (200, 404), path
        return await answer.text() if answer.status == 200 else None
