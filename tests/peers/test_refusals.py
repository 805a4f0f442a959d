"""Shows that what is broken on its way is refused on both sides, and that a good request still works after it."""

import base64
import hashlib
import json
from typing import Any

import aiohttp
import pytest
import rfc8785

from fedcollab.actors import keys
from fedcollab.base.clock import system_clock
from fedcollab.base.crypto import base58
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import proofs, signatures
from tests import nodes
from tests.rows import proved_by

from .conftest import Harbour, Meeting, Say

pytestmark = pytest.mark.peers
OLD, NEW = "draft-cavage-http-signatures-12", "rfc9421"
BREAKS = ("tampered", "wrong digest", "another's key", "unsigned", "proof alone")


@pytest.mark.rule("SIG-01")
@pytest.mark.rule("SIG-02")
async def test_what_they_send_broken_is_refused_and_nothing_is_stored(meeting: Meeting, harbour: Harbour, say: Say) -> None:
    async def send(how: str, spec: str) -> dict[str, Any]:
        return dict(await harbour.order("broken", inbox=meeting.inbox, group=meeting.group.uri, how=how, spec=spec))

    first = await send("good", OLD)
    assert first["status"] == 202
    assert await meeting.text(first["note"]) == "<p>as it was sent</p>"
    newer = await send("good", NEW)
    assert newer["status"] in (202, 401)
    spoken = [OLD, NEW] if newer["status"] == 202 else [OLD]
    await meeting.here.quiet()
    before = await meeting.here.tables()
    answers = {(how, spec): (await send(how, spec))["status"] for how in BREAKS for spec in (OLD, NEW)}
    assert set(answers.values()) == {401}
    assert await meeting.here.tables() == before
    last = await send("good", spoken[-1])
    assert last["status"] == 202
    assert await meeting.text(last["note"]) == "<p>as it was sent</p>"
    say(f"Fedify to us, broken in {len(BREAKS)} ways and 2 forms: {len(answers)} refused with 401; good ones taken: {' and '.join(spoken)}")


async def ours(meeting: Meeting) -> dict[str, keys.Signer]:
    """The keys of our member."""

    def read(session: Session) -> dict[str, keys.Signer]:
        node, person = meeting.here.kernel.node, meeting.here.viewer.person_id
        return {kind: keys.signer(session, node, person, kind) for kind in (keys.RSA, keys.ED25519)}

    return dict(await meeting.here.read(read))


async def post(harbour: Harbour, signer: keys.Signer | None, body: bytes, *, sent: bytes = b"", **changed: str) -> int:
    """Sends our member's activity to the peer: signed over `body`, carrying `sent` instead, with `changed` headers."""
    url = harbour.url + "/inbox"
    headers = {"Content-Type": ap.MEDIA_TYPE} | (signatures.sign(signer, "POST", url, body, system_clock()) if signer else {})
    async with aiohttp.request("POST", url, data=sent or body, headers=headers | changed) as answer:
        return answer.status


def without_context(document: dict[str, Any], signer: keys.Signer) -> dict[str, Any]:
    """A document with a proof whose options carry no @context, as the cryptosuite allows it and others do not."""
    options = {name: value for name, value in proofs.prove(document, signer, system_clock())["proof"].items() if name != "@context"}
    del options["proofValue"]
    digest = b"".join(hashlib.sha256(rfc8785.dumps(part)).digest() for part in (options, document))
    made = document | {"proof": options | {"proofValue": "z" + base58(signer.sign(digest))}}
    assert proved_by(made, keys.ED25519, keys.multibase(signer.key.public_key().public_bytes_raw()))
    return made


@pytest.mark.rule("SIG-02")
async def test_what_we_would_send_broken_is_refused_there_and_what_carries_its_proof_is_not(
    meeting: Meeting, harbour: Harbour, say: Say
) -> None:
    signers, actor = await ours(meeting), (await meeting.here.sql("SELECT uri FROM actor WHERE username = 'ilse'"))[0][0]

    def activity(*, proved: bool = False) -> dict[str, Any]:
        uri = meeting.here.url + "/activities/" + nodes.new_id()
        made = ap.activity("Create", uri, actor, {"id": uri + "/note", "type": "Note", "attributedTo": actor, "content": "as it was sent"})
        return proofs.prove(made, signers[keys.ED25519], system_clock()) if proved else made

    def text(made: dict[str, Any]) -> bytes:
        return json.dumps(made).encode()

    rsa, made, proved = signers[keys.RSA], activity(), activity(proved=True)
    other = text(made).replace(b"as it was sent", b"as it was changed")
    refused = {
        "tampered": await post(harbour, rsa, text(made), sent=other),
        "wrong digest": await post(harbour, rsa, text(made), Digest="SHA-256=" + base64.b64encode(hashlib.sha256(other).digest()).decode()),
        "another's key": await post(harbour, keys.Signer(rsa.uri, keys.RSA, nodes.pooled.rsa()), text(made)),
        "unsigned": await post(harbour, None, text(made)),
        "proof changed": await post(harbour, None, text(proved).replace(b"as it was sent", b"as it was changed")),
        "proof over no context": await post(harbour, None, text(without_context(activity(), signers[keys.ED25519]))),
    }
    assert set(refused.values()) == {401}, refused
    assert await harbour.received("Create") == []
    assert await post(harbour, None, text(proved)) == 202
    assert await post(harbour, rsa, text(made)) == 202

    async def both() -> bool:
        return {a["id"] for a in await harbour.received("Create")} == {proved["id"], made["id"]}

    await nodes.until("the good ones are there", both)
    say(f"we to Fedify, broken in {len(refused)} ways: {len(refused)} refused with 401; signed, or with a proof alone, taken")
