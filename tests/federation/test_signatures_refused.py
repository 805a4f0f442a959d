"""Shows the signature attacks refused on a running node, each beside its legitimate twin, with no table changed."""

import asyncio
import base64
import hmac
import json

import aiohttp
import pytest

from fedcollab.base.clock import HOUR, MINUTE, system_clock
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import cavage, signatures
from fedcollab.federation.cavage import generate_message
from tests import nodes

from .conftest import Scene

INBOX = "/inbox"


async def refused(
    scene: Scene, headers: object, body: bytes, *, path: str = INBOX, status: tuple[int, ...] = (401,), method: str = "POST"
) -> None:
    """The request is answered with one of `status`; neither a row, a fetch nor a delivery comes of it."""
    await nodes.settled(scene.here)  # what was good before has an end first
    before, fetched, received = await scene.here.tables(), list(scene.p.fetched), len(scene.p.received)
    assert await nodes.raw_post(scene.here.url + path, headers, body, method) in status
    assert await scene.here.tables() == before
    assert scene.p.fetched == fetched
    assert scene.p.received[received:] == []


@pytest.fixture(params=signatures.FORMS)
def form(request: pytest.FixtureRequest, scene: Scene) -> str:
    """The form in which the partner signs."""
    scene.p.form = str(request.param)
    return scene.p.form


def signed(scene: Scene, body: bytes, path: str = INBOX, key: str = "rsa", now: int = 0) -> dict[str, str]:
    url, signer = scene.here.url + path, scene.p.signers[scene.author][key]
    return signatures.sign(signer, "POST", url, body, now or system_clock(), form=scene.p.form)


def covering(scene: Scene, body: bytes, names: list[str], template: str = "") -> dict[str, str]:
    """A true signature by P over only the headers named."""
    headers = signed(scene, body)
    signer = cavage.RequestSigner(scene.p.signers[scene.author]["rsa"], names or ["date"])
    value = signer.headers_for(headers, "POST", INBOX)
    if not names:
        value = value.replace(',headers="date"', template)
    return headers | {"Signature": value}


@pytest.mark.rule("SIG-01")
async def test_a_signature_that_leaves_out_the_digest_is_refused(scene: Scene) -> None:
    await scene.twin()
    body = json.dumps(await scene.create()).encode()
    headers = covering(scene, body, ["(request-target)", "host", "date"])
    await refused(scene, headers, body)
    del headers["Digest"]
    await refused(scene, headers, body)
    await scene.twin()


@pytest.mark.rule("SIG-02")
async def test_one_byte_of_the_body_flipped_in_transit_is_refused(scene: Scene, form: str) -> None:
    await scene.twin()
    body = json.dumps(await scene.create()).encode()
    at = body.index(b"hello")
    await refused(scene, signed(scene, body), body[:at] + b"j" + body[at + 1 :])
    await scene.twin()


@pytest.mark.rule("SIG-03")
@pytest.mark.parametrize("template", ['headers="date"', 'headers=""', "no headers parameter"])
async def test_the_sender_does_not_choose_what_is_covered(scene: Scene, template: str) -> None:
    body = json.dumps(await scene.create()).encode()
    headers = covering(scene, body, ["date"] if template == 'headers="date"' else [], ',headers=""' if template == 'headers=""' else "")
    await refused(scene, headers, body)
    await scene.twin()


@pytest.mark.rule("SIG-04")
async def test_a_request_signed_for_another_node_is_refused_here(scene: Scene, form: str) -> None:
    body = json.dumps(await scene.create()).encode()
    there = signatures.sign(scene.p.signers[scene.author]["rsa"], "POST", "http://other.test" + INBOX, body, system_clock(), form=form)
    await refused(scene, there, body, status=(400, 401, 421))
    await refused(scene, there | {"Host": scene.here.host}, body)
    await scene.twin()


@pytest.mark.rule("SIG-05")
async def test_a_request_signed_for_one_path_or_method_is_refused_on_another(scene: Scene, form: str) -> None:
    body = json.dumps(await scene.create()).encode()
    group_inbox = "/groups/" + scene.group.id + "/inbox"
    headers = signed(scene, body, path=group_inbox)
    await refused(scene, headers, body, path="/people/" + scene.here.viewer.person_id + "/inbox")
    await refused(scene, headers, body, path=INBOX)
    await refused(scene, headers, body, path=group_inbox, method="PUT", status=(401, 405))
    assert await nodes.raw_post(scene.here.url + group_inbox, headers, body) == 202


@pytest.mark.rule("SIG-06", "ORG-01")
async def test_a_partner_cannot_sign_an_activity_of_somebody_elses(scene: Scene, form: str) -> None:
    for actor in ("http://127.0.0.1:1/people/g", scene.here.url + "/people/" + scene.here.viewer.person_id, scene.p.uri("/people/other")):
        body = json.dumps((await scene.create()) | {"actor": actor}).encode()
        await refused(scene, signed(scene, body), body, status=(401, 403))
    await scene.twin()


@pytest.mark.rule("SIG-07")
async def test_a_key_whose_document_claims_another_hosts_owner_is_refused(scene: Scene, form: str) -> None:
    victim = "http://127.0.0.1:1/actor"
    stolen = scene.p.actor("/key", "Person")
    scene.p.documents["/key"] = {"id": scene.p.uri("/key"), "owner": victim, "publicKeyPem": stolen["publicKey"]["publicKeyPem"]}
    before = await scene.here.tables()
    activity = (await scene.create()) | {"actor": victim}
    assert await scene.p.send(scene.here, activity, actor=scene.p.uri("/key")) == 401
    scene.p.documents["/key"] = stolen | {"id": victim}
    assert await scene.p.send(scene.here, activity, actor=scene.p.uri("/key")) == 401
    assert await scene.here.tables() == before
    await scene.twin()


@pytest.mark.rule("SIG-07")
async def test_a_person_without_the_organisations_proof_is_not_believed(scene: Scene, form: str) -> None:
    made = scene.p.actor("/people/forged", "Person")
    proof = dict(made["proof"], proofValue=made["proof"]["proofValue"][:-4] + "1111")
    scene.p.documents["/people/forged"] = made | {"proof": proof}
    activity = scene.p.create(scene.p.uri("/people/forged"), scene.group.uri)
    assert await scene.p.send(scene.here, activity) == 401
    true = scene.p.actor("/people/true", "Person")
    activity = scene.p.create(str(true["id"]), scene.group.uri)
    assert await scene.p.send(scene.here, activity) == 202


@pytest.mark.rule("SIG-09")
async def test_the_same_bytes_a_hundred_times_have_one_effect(scene: Scene, form: str) -> None:
    activity = await scene.create()
    body = json.dumps(activity).encode()
    headers = signed(scene, body)
    turn = asyncio.Semaphore(20)

    async def once() -> int:
        async with turn:
            return await nodes.raw_post(scene.here.url + INBOX, headers, body)

    assert await once() == 202
    assert await scene.stored(activity)
    await nodes.settled(scene.here)  # its echo is back
    before, received = await scene.here.tables(), list(scene.p.received)
    assert set(await asyncio.gather(*(once() for _ in range(99)))) <= {200, 202, 409}
    await nodes.settled(scene.here)
    assert (await scene.here.tables(), scene.p.received) == (before, received)
    assert await scene.here.sql("SELECT count(*) FROM post WHERE uri = :uri", uri=activity["object"]["id"]) == [(1,)]
    assert await scene.here.sql("SELECT count(*) FROM inbox_item WHERE uri = :uri", uri=activity["id"]) == [(1,)]


@pytest.mark.rule("SIG-13")
@pytest.mark.parametrize("name", ["Digest", "Date", "Host"])
@pytest.mark.parametrize("right_first", [True, False])
async def test_a_repeated_header_is_refused_in_either_order(scene: Scene, name: str, right_first: bool) -> None:
    body = json.dumps(await scene.create()).encode()
    headers = signed(scene, body)
    wrong = {"Digest": cavage.digest_of(b"other"), "Date": "Thu, 01 Jan 1970 00:00:00 GMT", "Host": "other.test"}[name]
    pair = [(name, headers.pop(name)), (name, wrong)]
    lines = [f"{k}: {v}" for k, v in [*(pair if right_first else pair[::-1]), *headers.items(), ("Content-Type", ap.MEDIA_TYPE)]]
    before = await scene.here.tables()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(scene.here.host.split(":")[1]))
    writer.write(
        ("POST /inbox HTTP/1.1\r\n" + "\r\n".join(lines) + f"\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n").encode() + body
    )
    answer = await reader.readline()
    writer.close()
    assert answer.split()[1] in (b"400", b"401")
    assert await scene.here.tables() == before
    await scene.twin()


@pytest.mark.rule("SIG-14")
@pytest.mark.parametrize("algorithm", ["hmac-sha256", "none", "rsa-sha1"])
async def test_the_algorithm_is_the_keys_and_never_the_headers(scene: Scene, algorithm: str) -> None:
    body = json.dumps(await scene.create()).encode()
    headers = signed(scene, body)
    pem = scene.p.documents["/people/sokha"]["publicKey"]["publicKeyPem"].encode()
    message = generate_message(cavage.COVERED_POST, headers, method="POST", path=INBOX)
    true = headers["Signature"].split('signature="')[1].partition('"')[0]
    assert base64.b64encode(scene.p.signers[scene.author]["rsa"].sign(message)).decode() == true, "what is forged is over the true text"
    for secret in (pem, pem.strip()):
        forged = base64.b64encode(hmac.digest(secret, message, "sha256")).decode()
        for value, said in ((forged, algorithm), (true, algorithm), (forged, "hs2019"), (forged, "rsa-sha256")):
            changed = headers["Signature"].replace("rsa-sha256", said).replace(true, value)
            await refused(scene, headers | {"Signature": changed}, body)
    await scene.twin()


@pytest.mark.rule("SIG-03")
@pytest.mark.parametrize("more", ['keyId="{key}"', 'KEYID="{key}"', 'headers="date"', 'algorithm="none"', 'signature="AAAA"'])
async def test_a_signature_that_says_a_thing_twice_is_refused_in_either_order(scene: Scene, more: str) -> None:
    body = json.dumps(await scene.create()).encode()
    headers, said = signed(scene, body), more.format(key=scene.p.uri("/people/other#main-key"))
    for value in (f"{said},{headers['Signature']}", f"{headers['Signature']}, {said}"):
        await refused(scene, headers | {"Signature": value}, body)
    await scene.twin()


@pytest.mark.rule("SIG-05")
@pytest.mark.parametrize("line", ["POST http://evil.test/inbox", "POST /%69nbox", "POST /inbox?a=1", "POST /inbox#x"])
async def test_another_spelling_of_the_target_is_another_target(scene: Scene, form: str, line: str) -> None:
    body = json.dumps(await scene.create()).encode()
    before, fields = await scene.here.tables(), signed(scene, body) | {"Content-Type": ap.MEDIA_TYPE, "Content-Length": str(len(body))}
    reader, writer = await asyncio.open_connection("127.0.0.1", int(scene.here.host.split(":")[1]))
    writer.write((f"{line} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items()) + "\r\n").encode() + body)
    assert (await reader.readline()).split()[1] in (b"400", b"401")
    writer.close()
    assert await scene.here.tables() == before
    await scene.twin()


@pytest.mark.rule("SIG-14")
@pytest.mark.parametrize("key", ["rsa", "ed25519"])
async def test_both_kinds_of_keys_are_accepted_under_hs2019(scene: Scene, form: str, key: str) -> None:
    activity = await scene.create()
    body = json.dumps(activity).encode()
    headers = signed(scene, body, key=key)
    headers["Signature"] = headers["Signature"].replace("rsa-sha256", "hs2019")
    assert await nodes.raw_post(scene.here.url + INBOX, headers, body) == 202
    assert await scene.stored(activity)


@pytest.mark.rule("SIG-10")
@pytest.mark.parametrize("away", [-6 * MINUTE, 6 * MINUTE, -HOUR])
async def test_a_date_beyond_five_minutes_is_refused_and_within_is_taken(scene: Scene, form: str, away: int) -> None:
    body = json.dumps(await scene.create()).encode()
    await refused(scene, signed(scene, body, now=system_clock() + away), body)
    near = signed(scene, body, now=system_clock() + (4 * MINUTE if away > 0 else -4 * MINUTE))
    assert await nodes.raw_post(scene.here.url + INBOX, near, body) == 202


async def test_an_unsigned_post_gets_401_and_a_wrong_shape_400(scene: Scene, form: str) -> None:
    body = json.dumps(await scene.create()).encode()
    await refused(scene, {}, body)
    for wrong in (b"[]", b"{", b'{"id": 1, "type": "Create"}', b'{"type":"Create","id":""}'):
        await refused(scene, signed(scene, wrong), wrong, status=(400,))
    async with aiohttp.request("GET", scene.here.url + "/inbox") as response:
        assert response.status in (404, 405)
    await scene.twin()
