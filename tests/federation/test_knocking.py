"""Shows in which form and with which key each partner is spoken to: what it accepted last, the other on a 401 in the same attempt."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from fedcollab.federation import activitystreams as ap
from fedcollab.federation import signatures
from tests import nodes

from .conftest import Scene


class Choosy:
    """A partner's server that reads one form of signatures only, and says to the other what it says."""

    def __init__(self, form: str, refusal: int = 401) -> None:
        self.form, self.refusal = form, refusal
        self.seen: list[tuple[str, str]] = []  # the method and the form
        self.keys: set[str] = set()

    def __call__(self, request: web.Request) -> bool:
        if "Signature" not in request.headers:
            return True
        field = request.headers.get("Signature-Input", "")
        form = signatures.RFC9421 if field else signatures.CAVAGE
        if request.path not in ("/actor", "/actor/stream"):  # read by the look at its keys and by catching up, whenever that is
            self.seen.append((request.method, form))
        if request.method == "POST":
            self.keys.add((field or request.headers["Signature"]).partition("#")[2].partition('"')[0])
        return form == self.form


async def choosy(tmp_path: Path, form: str, refusal: int = 401, **actor: Any) -> AsyncIterator[tuple[nodes.Here, nodes.Rogue, Choosy]]:
    """A node and a partner that reads one form."""
    p = await nodes.rogue()
    p.documents["/actor"] = p.prove({k: v for k, v in p.documents["/actor"].items() if k != "proof"} | actor, p.uri("/actor"))
    here, gate = await nodes.start(tmp_path, peers=(p.port,)), Choosy(form, refusal)
    p.gate = gate
    await nodes.admit(here, p)
    try:
        yield here, p, gate
    finally:
        await here.stop()
        await p.stop()


async def form_of(here: nodes.Here) -> str:
    return str((await here.sql("SELECT form FROM partner"))[0][0])


@pytest.mark.parametrize("form", signatures.FORMS)
async def test_a_delivery_is_sent_in_the_other_form_at_once_and_the_form_is_remembered(tmp_path: Path, form: str) -> None:
    async for here, p, gate in choosy(tmp_path, form):

        async def remembered(here: nodes.Here = here, form: str = form) -> bool:
            return await form_of(here) == form

        await nodes.until("the form is known", remembered)
        assert {method for method, _ in gate.seen} == {"POST"}
        assert gate.keys == {"ed25519-key"}, "it says fc:protocol"
        gate.seen.clear()
        count = len(p.received)
        await here.group("more")

        async def came(p: nodes.Rogue = p, count: int = count) -> bool:
            return len(p.received) > count

        await nodes.until("the next one", came)
        assert set(gate.seen) == {("POST", form)}, "no other form is tried now"
        gate.form = other = signatures.FORMS[form == signatures.RFC9421]
        await here.group("still-more")

        async def changed(here: nodes.Here = here, other: str = other) -> bool:
            return await form_of(here) == other

        await nodes.until("what it accepts now is known", changed)
        assert await here.sql("SELECT attempts FROM partner") == [(0,)], "it was one attempt"


@pytest.mark.parametrize("refusal", [400, 401, 403])
async def test_of_software_that_never_heard_of_a_form_any_refusal_is_answered_in_the_other(tmp_path: Path, refusal: int) -> None:
    async for here, _, gate in choosy(tmp_path, signatures.CAVAGE, refusal, **{ap.PROTOCOL_TERM: None}):

        async def remembered(here: nodes.Here = here) -> bool:
            return await form_of(here) == signatures.CAVAGE

        await nodes.until("the form is known", remembered)
        assert gate.keys == {"main-key"}, "other software reads RSA"
        assert await here.sql("SELECT count(*) FROM delivery WHERE state = 'refused'") == [(0,)]


@pytest.mark.parametrize("form", signatures.FORMS)
async def test_a_document_is_asked_for_in_the_other_form_at_once(tmp_path: Path, form: str) -> None:
    async for here, p, gate in choosy(tmp_path, form):
        group = await here.group()
        gate.seen.clear()
        activity = p.create(p.uri("/people/sokha"), group.uri)
        assert await p.send(here, activity) == 202
        asked = [how for method, how in gate.seen if method == "GET"]
        assert asked[-1] == form
        assert len(asked) <= 2


async def test_a_partner_that_floods_us_is_told_when_to_come_back_and_is_heard_then(scene: Scene) -> None:
    activity, inboxes = await scene.create(), scene.here.kernel.inboxes
    inboxes.size, inboxes.a_second = 1, 1.0
    inboxes.take(scene.p.url.removeprefix("http://"), scene.here.kernel.node.now())
    before = await scene.here.tables()
    body = json.dumps(activity).encode()
    headers = signatures.sign(scene.p.signers[scene.author]["rsa"], "POST", scene.here.url + "/inbox", body, scene.here.kernel.node.now())
    async with aiohttp.request("POST", scene.here.url + "/inbox", data=body, headers=headers | {"Content-Type": ap.MEDIA_TYPE}) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
    assert await scene.here.tables() == before

    async def heard() -> bool:
        return await scene.p.send(scene.here, activity) == 202

    await nodes.until("it is heard again", heard)
    assert await scene.stored(activity)


async def test_a_partner_that_asks_for_more_than_its_share_is_told_when_to_come_back_and_gets_it_then(scene: Scene) -> None:
    there, asked = f"/groups/{scene.group.uri.rpartition('/')[2]}", scene.here.kernel.asked
    assert (await scene.p.get(scene.here, there))[0] == 200
    asked.size, asked.a_second = 1, 1.0
    asked.take(scene.p.url.removeprefix("http://"), scene.here.kernel.node.now())
    status, headers, _ = await scene.p.get(scene.here, there)
    assert (status, headers["Retry-After"]) == (429, "1")

    async def answered() -> bool:
        return (await scene.p.get(scene.here, there))[0] == 200

    await nodes.until("it is answered again", answered)


@pytest.mark.parametrize(("status", "ours"), [(429, 503), (404, 401)])
async def test_a_key_that_its_node_has_no_time_to_show_is_no_bad_one(scene: Scene, status: int, ours: int) -> None:
    scene.p.actor("/people/unmet", "Person")
    scene.p.documents["/people/unmet"] = lambda _request: web.Response(status=status)
    assert await scene.p.send(scene.here, scene.p.create(scene.p.uri("/people/unmet"), scene.group.uri)) == ours
