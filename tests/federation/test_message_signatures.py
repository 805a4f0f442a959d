"""Shows the attacks on signatures by RFC 9421 refused on a running node, each beside its legitimate twin, with no table changed."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Mapping

import aiohttp
import pytest

from fedcollab.actors import keys
from fedcollab.base.clock import MICROSECONDS, system_clock
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import signatures
from tests import nodes

from .conftest import Scene
from .test_signatures_refused import INBOX, refused

REQUIRED = ("@method", "@target-uri", "content-digest")
ALG = {"rsa": "rsa-v1_5-sha256", "ed25519": "ed25519"}


def content_digest(body: bytes) -> str:
    return "sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()).decode() + ":"


def by_hand(
    scene: Scene,
    body: bytes,
    names: tuple[str, ...] = REQUIRED,
    *,
    key: str = "rsa",
    params: str | None = None,
    values: Mapping[str, str] = {},
    label: str = "a",
    signer: keys.Signer | None = None,
) -> dict[str, str]:
    """A signature as RFC 9421 describes it, written out here once more."""
    signer = signer or scene.p.signers[scene.author][key]
    made = {"@method": "POST", "@target-uri": scene.here.url + INBOX, "content-digest": content_digest(body), "@authority": scene.here.host}
    made |= values
    said = params if params is not None else f';created={system_clock() // MICROSECONDS};keyid="{signer.uri}"'
    listed = "(" + " ".join(f'"{name}"' for name in names) + ")" + said
    text = "".join(f'"{name}": {made[name]}\n' for name in names) + f'"@signature-params": {listed}'
    value = base64.b64encode(signer.sign(text.encode())).decode()
    return {"Content-Digest": made["content-digest"], "Signature-Input": f"{label}={listed}", "Signature": f"{label}=:{value}:"}


def now() -> int:
    return system_clock() // MICROSECONDS


async def taken(scene: Scene, headers: Mapping[str, str], body: bytes) -> None:
    assert await nodes.raw_post(scene.here.url + INBOX, headers, body) == 202


async def fresh(scene: Scene) -> bytes:
    return json.dumps(await scene.create()).encode()


@pytest.mark.rule("SIG-01", "SIG-03")
@pytest.mark.parametrize("missing", REQUIRED)
async def test_a_signature_that_leaves_out_what_we_require_is_refused(scene: Scene, missing: str) -> None:
    body = await fresh(scene)
    names = tuple(name for name in REQUIRED if name != missing)
    await refused(scene, by_hand(scene, body, names), body)
    await refused(scene, by_hand(scene, body, (*names, "@authority")), body)
    await refused(scene, by_hand(scene, body, ()), body)
    await taken(scene, by_hand(scene, body), body)


@pytest.mark.rule("SIG-02")
async def test_the_digest_is_of_the_very_body(scene: Scene) -> None:
    body = await fresh(scene)
    other, right = content_digest(b"other"), content_digest(body)
    sha512 = "sha-512=:" + base64.b64encode(hashlib.sha512(body).digest()).decode() + ":"
    for wrong in (other, "md5=:AAAA:", "", f"{right}, {other}", f"{other}, {right}", f"{right}, sha-512=:AAAA:", right[:-2], "sha-256=:"):
        await refused(scene, by_hand(scene, body, values={"content-digest": wrong}), body)
    await refused(scene, by_hand(scene, body), body.replace(b"hello", b"jello"))
    await taken(scene, by_hand(scene, body, values={"content-digest": f"{right}, {sha512}"}), body)
    await taken(scene, by_hand(scene, body, values={"content-digest": sha512}), body)


@pytest.mark.rule("SIG-10")
async def test_a_signature_without_a_time_or_beyond_its_end_is_refused(scene: Scene) -> None:
    body, uri = await fresh(scene), scene.p.signers[scene.author]["rsa"].uri
    for params in (
        f';keyid="{uri}"',
        f';created={now() - 361};keyid="{uri}"',
        f';created={now() + 361};keyid="{uri}"',
        f';created={now()};expires={now() - 1};keyid="{uri}"',
        f';created="{now()}";keyid="{uri}"',
        f';created={now()}.5;keyid="{uri}"',
        f";created={now()}",
        f";created={now()};keyid=17",
        f';created={10**14};keyid="{uri}"',
    ):
        await refused(scene, by_hand(scene, body, params=params), body)
    await taken(scene, by_hand(scene, body, params=f';created={now() - 240};expires={now() + 5};keyid="{uri}";nonce="x";tag="y"'), body)


@pytest.mark.rule("SIG-14")
async def test_the_algorithm_is_the_keys_and_never_the_parameters(scene: Scene) -> None:
    body, signer = await fresh(scene), scene.p.signers[scene.author]["rsa"]
    pem = scene.p.documents["/people/sokha"]["publicKey"]["publicKeyPem"].encode()
    for said in ("hmac-sha256", "none", "rsa-pss-sha512", "ed25519", "ecdsa-p256-sha256"):
        params = f';created={now()};keyid="{signer.uri}";alg="{said}"'
        true = by_hand(scene, body, params=params)
        await refused(scene, true, body)
        text = "".join(f'"{name}": {value}\n' for name, value in {"@method": "POST", "@target-uri": scene.here.url + INBOX}.items())
        text += f'"content-digest": {content_digest(body)}\n"@signature-params": ("@method" "@target-uri" "content-digest"){params}'
        assert base64.b64encode(signer.sign(text.encode())).decode() in true["Signature"], "what is forged is over the true text"
        for secret in (pem, pem.strip()):
            forged = base64.b64encode(hmac.digest(secret, text.encode(), "sha256")).decode()
            await refused(scene, true | {"Signature": f"a=:{forged}:"}, body)
    for key, said in ALG.items():
        signer, body = scene.p.signers[scene.author][key], await fresh(scene)
        await taken(scene, by_hand(scene, body, key=key, params=f';created={now()};keyid="{signer.uri}";alg="{said}"'), body)
        body = await fresh(scene)
        await taken(scene, by_hand(scene, body, key=key), body)


@pytest.mark.rule("SIG-03")
async def test_signatures_beside_each_other_are_never_mixed(scene: Scene) -> None:
    """One label's components do not go with another's signature, and the one is taken whose key is a partner's."""
    body = await fresh(scene)
    good, weak = by_hand(scene, body, label="b"), by_hand(scene, body, ("@method",), label="a")
    stranger = by_hand(scene, body, label="a", params=f';created={now()};keyid="https://proxy.example/key"')

    def both(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
        return {**good, **{name: f"{one[name]}, {other[name]}" for name in ("Signature-Input", "Signature")}}

    swapped = both(weak, good)
    swapped["Signature"] = swapped["Signature"].replace("b=:", "c=:").replace("a=:", "b=:").replace("c=:", "a=:")
    await refused(scene, swapped, body)
    await refused(scene, weak | {"Signature-Input": f"{weak['Signature-Input']}, {good['Signature-Input']}"}, body)
    await refused(scene, good | {"Signature": good["Signature"].replace("b=", "a=")}, body)
    await refused(scene, both(good, good | {"Signature": weak["Signature"].replace("a=", "b=")}), body)
    for order in ((stranger, good), (weak, good), (good, weak)):
        body = await fresh(scene)
        good, weak = by_hand(scene, body, label="b"), by_hand(scene, body, ("@method",), label="a")
        stranger = by_hand(scene, body, label="a", params=f';created={now()};keyid="https://proxy.example/key"')
        pair = {"b": good, "a": stranger if order[0]["Signature-Input"].count("proxy") else weak}
        await taken(scene, both(*(pair[one["Signature-Input"][0]] for one in order)), body)


@pytest.mark.rule("SIG-13")
@pytest.mark.parametrize("name", ["Content-Digest", "Signature", "Signature-Input", "Host"])
@pytest.mark.parametrize("right_first", [True, False])
async def test_a_repeated_header_is_refused_in_either_order(scene: Scene, name: str, right_first: bool) -> None:
    body = await fresh(scene)
    headers = by_hand(scene, body) | {"Host": scene.here.host, "Content-Type": ap.MEDIA_TYPE}
    wrong = {"Content-Digest": content_digest(b"other"), "Host": "other.test"}.get(name, headers[name].replace("a=", "b="))
    pair = [(name, headers.pop(name)), (name, wrong)]
    lines = [f"{k}: {v}" for k, v in [*(pair if right_first else pair[::-1]), *headers.items()]]
    before = await scene.here.tables()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(scene.here.host.split(":")[1]))
    head = "POST /inbox HTTP/1.1\r\n" + "\r\n".join(lines) + f"\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + body)
    assert (await reader.readline()).split()[1] == b"400"
    writer.close()
    assert await scene.here.tables() == before
    await scene.twin()


SPELLINGS = [
    "",
    "a",
    "a=",
    "a=()",
    "a=(",
    "a=1",
    'a=("@method"',
    'a=("@METHOD" "@target-uri" "content-digest")',
    'a=("@method" "@method")',
    'a=("@method";req "@target-uri" "content-digest")',
    'a=("content-digest";key="x")',
    'a=("@query-param";name="é")',
    'a=("@method"),' * 40,
    'a=("@status" "@method")',
    'a=("x-not-there" "@method" "@target-uri" "content-digest")',
    'a=("@method" "@target-uri" "content-digest");created=99999999999999999999;keyid="x"',
    "*=" * 300,
    "a=" + "(" * 2000,
]


@pytest.mark.rule("SIG-25")
@pytest.mark.parametrize("field", SPELLINGS)
async def test_no_spelling_of_a_signature_is_more_than_refused(scene: Scene, field: str) -> None:
    body = await fresh(scene)
    good = by_hand(scene, body)
    await refused(scene, {k: v.encode().decode("latin-1") for k, v in (good | {"Signature-Input": field}).items()}, body, status=(400, 401))
    await refused(scene, {k: v.encode().decode("latin-1") for k, v in (good | {"Signature": field}).items()}, body, status=(400, 401))
    await taken(scene, good, body)


@pytest.mark.rule("SIG-25")
async def test_other_spellings_of_the_same_are_read_as_the_grammar_says(scene: Scene) -> None:
    """Blanks that the grammar allows are none of what is signed; an upper-case field name is the same field."""
    body = await fresh(scene)
    good = by_hand(scene, body, (*REQUIRED, "@authority", "x-more"), values={"x-more": "a, b"})
    loose = good["Signature-Input"].replace('" "', '"   "').replace("=(", "=(  ").replace(";", "; ")
    fields = {
        "SIGNATURE-input": loose,
        "Signature": good["Signature"] + " ",
        "content-DIGEST": good["Content-Digest"],
        "X-MORE": "  a, b\t",
    }
    await refused(scene, fields | {"X-MORE": "a,b"}, body)
    await taken(scene, fields, body)


async def test_a_refusal_says_what_would_be_accepted(scene: Scene) -> None:
    async with aiohttp.request("POST", scene.here.url + INBOX, data=b"{}", headers={"Content-Type": ap.MEDIA_TYPE}) as answer:
        assert answer.status == 401
        assert answer.headers["Accept-Signature"] == 'sig1=("@method" "@target-uri" "content-digest");created'
        assert answer.headers["WWW-Authenticate"].startswith('Signature realm="127.0.0.1')
        assert "(request-target) host date digest" in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("form", signatures.FORMS)
@pytest.mark.parametrize("key", ["rsa", "ed25519"])
async def test_an_extra_field_is_read_only_where_it_is_covered(scene: Scene, form: str, key: str) -> None:
    body, signer = await fresh(scene), scene.p.signers[scene.author][key]
    base = scene.here.url
    headers = signatures.sign(signer, "POST", base + INBOX, body, system_clock(), form=form, extra={"Fedcollab-Sequence": "1:7"})
    fields = list((headers | {"Host": scene.here.host, "X-Other": "beside"}).items())
    [claim] = signatures.claims(signatures.Incoming("POST", INBOX, fields, body), base, system_clock())
    assert claim.covered["fedcollab-sequence"] == "1:7"
    assert "x-other" not in claim.covered
    changed = headers | {"Fedcollab-Sequence": "1:8"}
    await refused(scene, changed, body)
    await taken(scene, headers, body)


async def test_a_key_may_be_called_by_its_owners_id_alone_or_have_an_address_of_its_own(scene: Scene) -> None:
    """Other software leaves out the fragment, or gives the key an address below its owner's."""
    signer = scene.p.signers[scene.author]["rsa"]
    await taken(scene, by_hand(scene, body := await fresh(scene), signer=keys.Signer(scene.author, "rsa", signer.key)), body)
    made = scene.p.actor("/people/lan", "Person")
    key_uri = made["id"] + "/main-key"
    own = scene.p.documents["/people/lan"] = scene.p.prove(
        {k: v for k, v in made.items() if k != "proof"} | {"publicKey": made["publicKey"] | {"id": key_uri}}, scene.p.uri("/actor")
    )
    scene.p.documents["/people/lan/main-key"] = own["publicKey"]
    activity = scene.p.create(made["id"], scene.group.uri)
    lan = keys.Signer(key_uri, "rsa", scene.p.signers[made["id"]]["rsa"].key)
    scene.p.documents["/people/lan/main-key"] = dict(own["publicKey"], **{"@context": ap.CONTEXT})
    await taken(scene, by_hand(scene, body := json.dumps(activity).encode(), signer=lan), body)
    other = keys.Signer(scene.author + "/other-key", "rsa", signer.key)
    await refused_but_asked(scene, by_hand(scene, body := await fresh(scene), signer=other), body)


async def refused_but_asked(scene: Scene, headers: Mapping[str, str], body: bytes) -> None:
    """The request is refused and changes nothing; the partner itself may have been asked for the key."""
    await scene.here.quiet()
    before = await scene.here.tables()
    assert await nodes.raw_post(scene.here.url + INBOX, headers, body) == 401
    assert await scene.here.tables() == before
