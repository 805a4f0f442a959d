"""Shows that nothing happens, and nothing is told, before a request is known to be a partner's."""

import json
from typing import Any

import aiohttp
import pytest

from fedcollab.actors import keys
from fedcollab.base.clock import system_clock
from fedcollab.features.discussions import service
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import signatures
from tests import nodes

from .conftest import Scene

URL_FIELDS = [
    "id",
    "actor",
    "object",
    "target",
    "origin",
    "result",
    "instrument",
    "context",
    "inReplyTo",
    "audience",
    "to",
    "cc",
    "bto",
    "bcc",
    "attributedTo",
    "url",
    "icon",
    "image",
    "attachment",
    "tag",
    "replies",
    "likes",
    "shares",
    "first",
    "next",
    "inbox",
    "outbox",
    "followers",
    "endpoints",
    "publicKey",
    "assertionMethod",
    "proof",
    "signature",
    "fc:introduces",
    "fc:organisation",
]


@pytest.mark.rule("SIG-19")
@pytest.mark.parametrize("form", ["unsigned", *signatures.FORMS])
async def test_an_unsigned_or_wrongly_signed_activity_full_of_addresses_reaches_nobody(scene: Scene, form: str) -> None:
    """A canary stands in every field that could hold an address."""
    canary = await nodes.rogue("Canary")
    here = nodes.may_also_reach(scene.here, canary)
    activity: dict[str, Any] = {name: canary.uri(f"/{name}") for name in URL_FIELDS} | {"type": "Create"}
    activity["object"] = {name: canary.uri(f"/object/{name}") for name in URL_FIELDS} | {"type": "Note"}
    activity["@context"] = [ap.AS2, canary.uri("/context")]
    body, headers = json.dumps(activity).encode(), {}
    if form != "unsigned":
        signer = scene.p.signers[scene.author]["rsa"]
        headers = signatures.sign(signer, "POST", here.url + "/inbox", body + b" ", system_clock(), form=form)
    before, fetched = await here.tables(), list(scene.p.fetched)
    for path in ("/inbox", "/actor/inbox", f"/groups/{scene.group.id}/inbox"):
        assert await nodes.raw_post(here.url + path, headers, body) == 401
    await here.quiet()
    assert await here.tables() == before
    assert (canary.fetched, canary.received, scene.p.fetched) == ([], [], fetched)
    await canary.stop()
    await scene.twin()


@pytest.mark.rule("SIG-23")
@pytest.mark.parametrize(
    "who", ["nobody", "a stranger", "a partner with a bad signature", "a partner for another page", "a partner, too late"]
)
@pytest.mark.parametrize("form", signatures.FORMS)
async def test_documents_are_for_partners_and_others_learn_nothing_of_them(scene: Scene, who: str, form: str) -> None:
    """What exists and what does not is answered alike; the same request well signed is answered."""
    await scene.twin()
    here, organisation = scene.here, scene.p.signers[scene.p.uri("/actor")]["rsa"]
    post = (await here.sql("SELECT id FROM post"))[0][0]
    own = await here.write(service.post_thread, here.viewer, scene.group.id, title="ours", text="one of ours")
    there = [f"/people/{here.viewer.person_id}", f"/groups/{scene.group.id}", f"/posts/{post}", f"/threads/{own.thread_id}"]
    stranger = keys.Signer("https://stranger.example/actor#main-key", "rsa", organisation.key)
    before, fetched, answers = await here.tables(), list(scene.p.fetched), set()
    for path in [*there, *(path[:-4] + "0000" for path in there)]:
        url, now = here.url + path, system_clock()
        headers = {
            "nobody": {},
            "a stranger": signatures.sign(stranger, "GET", url, b"", now, form=form),
            "a partner with a bad signature": signatures.sign(_forged(organisation, stranger), "POST", url, b"", now, form=form),
            "a partner for another page": signatures.sign(organisation, "GET", here.url + "/actor", b"", now, form=form),
            "a partner, too late": signatures.sign(organisation, "GET", url, b"", now - 400_000_000, form=form),
        }[who]
        async with aiohttp.request("GET", url, headers=headers | {"Accept": ap.MEDIA_TYPE}) as answer:
            answers.add((answer.status, await answer.text()))
    assert {status for status, _ in answers} <= {401, 403}
    assert len(answers) == 1, "no answer says whether the thing is there"
    assert await here.tables() == before
    doubtful = who in ("a partner with a bad signature", "a partner for another page")
    assert scene.p.fetched[len(fetched) :] in ([], ["/actor"] if doubtful else []), "its keys of today, once"
    scene.p.form = form
    assert [(await scene.p.get(here, path))[0] for path in there] == [200] * len(there)


def _forged(signer: keys.Signer, other: keys.Signer) -> keys.Signer:
    """Under the one's name, by a key that is not its."""
    from tests.rows import rsa_key

    return keys.Signer(signer.uri, other.kind, rsa_key())
