"""Shows that our reading of RFC 9421 is the library's, that each takes what the other signs, and that no spelling is read two ways."""

import base64
import contextlib
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, MappingKeyResolver, algorithms
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from fedcollab.actors import keys
from fedcollab.base.clock import MICROSECONDS, MINUTE
from fedcollab.base.errors import BadRequest, FedcollabError, Unauthorized
from fedcollab.federation import claims as shared
from fedcollab.federation import every_shape, rfc9421, signatures
from tests.rows import START, ed_public, ed_signer, rsa_key

BASE, NOW = "https://home.example", START
SIGNERS = {"ed25519": ed_signer("https://p.example/actor"), "rsa": keys.Signer("https://p.example/actor#main-key", "rsa", rsa_key())}
LIBRARY = {"ed25519": algorithms.ED25519, "rsa": algorithms.RSA_V1_5_SHA256}
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
NAMES = st.sampled_from(
    ["@method", "@target-uri", "@authority", "content-digest", "x-a", "x-b", "fedcollab-sequence", "@path", "@status", "x-none"]
)
PARAMETERS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["created", "expires"]), st.integers(-5, 2 * NOW // MICROSECONDS).map(str)),
        st.tuples(
            st.sampled_from(["keyid", "alg", "nonce", "tag", "x"]),
            VALUES.map(lambda v: '"' + v.replace("\\", "\\\\").replace('"', '\\"') + '"'),
        ),
    ),
    max_size=5,
    unique_by=lambda pair: pair[0],
)


def request(headers: dict[str, str], body: bytes = b"", target: str = "/inbox", method: str = "POST") -> signatures.Incoming:
    return signatures.Incoming(method, target, list(({"Host": "home.example"} | headers).items()), body)


@given(st.lists(NAMES, max_size=6), PARAMETERS, VALUES, st.sampled_from(["", " ", "  "]), st.binary(min_size=1, max_size=70))
def test_the_usual_shape_is_read_as_the_library_reads_it(
    names: list[str], parameters: list[tuple[str, str]], value: str, blank: str, signature: bytes
) -> None:
    said = "(" + (" " + blank).join(f'"{name}"' for name in names) + ")" + "".join(f";{blank}{name}={text}" for name, text in parameters)
    fields = {"Signature-Input": f"a={said}", "Signature": f"a=:{base64.b64encode(signature).decode()}:", "X-A": value, "X-B": "b"}
    incoming = request(fields | {"Content-Digest": rfc9421.digest_of(b"")})
    headers = shared.single(incoming.headers)
    plain = rfc9421._plain(incoming, headers, BASE)
    if plain is not None:
        assert [tuple(map(_plainly, plain))] == [tuple(map(_plainly, one)) for one in every_shape.READER.read(incoming, headers, BASE)]
    with contextlib.suppress(FedcollabError):
        signatures.claims(incoming, BASE, NOW)


def _plainly(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("kind", SIGNERS)
@given(body=st.binary(max_size=50), more=VALUES)
def test_the_library_verifies_what_we_sign_and_we_what_the_library_signs(kind: str, body: bytes, more: str) -> None:
    signer, more = SIGNERS[kind], more.strip() or "x"
    resolver = MappingKeyResolver(public_keys={signer.uri: signer.key.public_key()}, private_keys={signer.uri: signer.key})
    made = signatures.sign(signer, "POST", BASE + "/inbox", body, NOW, form=signatures.RFC9421, extra={"X-More": more})
    message = SimpleNamespace(method="POST", url=BASE + "/inbox", headers=CIMultiDict(made))

    class AtOurTime(HTTPMessageVerifier):
        def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
            assert sig_input.params["created"] == NOW // MICROSECONDS

    verifier = AtOurTime(signature_algorithm=LIBRARY[kind], key_resolver=resolver)
    [result] = verifier.verify(message, body=body, require_components=rfc9421.COVERED_POST)
    assert result.covered_components['"x-more"'] == more

    theirs = SimpleNamespace(method="POST", url=BASE + "/inbox", headers=CIMultiDict({"Host": "home.example", "X-More": more}))
    when = SimpleNamespace(timestamp=lambda: NOW / MICROSECONDS)
    HTTPMessageSigner(signature_algorithm=LIBRARY[kind], key_resolver=resolver).sign(
        theirs, key_id=signer.uri, created=when, covered_component_ids=("@method", "@target-uri", "x-more"), body=body, label="b"
    )
    [claim] = signatures.claims(signatures.Incoming("POST", "/inbox", list(theirs.headers.items()), body), BASE, NOW)
    claim.check(_public(kind))
    assert claim.covered["x-more"] == more


def _public(kind: str) -> keys.PublicKey:
    from cryptography.hazmat.primitives import serialization

    signer, form = SIGNERS[kind], serialization.PublicFormat.SubjectPublicKeyInfo
    text = ed_public(signer) if kind == "ed25519" else signer.key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()
    return keys.PublicKey(signer.uri, kind, text, "1", "https://p.example/actor")


@given(st.sampled_from(signatures.FORMS), st.text(max_size=300), st.text(max_size=80))
def test_whatever_a_field_says_it_is_refused_or_read_and_never_an_error(form: str, said: str, signature: str) -> None:
    good = signatures.sign(SIGNERS["rsa"], "POST", BASE + "/inbox", b"x", NOW, form=form)
    field = "Signature-Input" if form == signatures.RFC9421 else "Signature"
    for changed in ({field: said}, {"Signature": signature}, {field: good[field][:40] + said}, {field: good[field] + said}):
        with contextlib.suppress(Unauthorized, BadRequest):
            for claim in signatures.claims(request(good | changed, b"x"), BASE, NOW):
                claim.check(_public("rsa"))


@pytest.mark.rule("SIG-25")
def test_mixed_case_and_blanks_in_draft_cavage_have_one_reading() -> None:
    good = signatures.sign(SIGNERS["rsa"], "POST", BASE + "/inbox", b"x", NOW)
    listed = 'headers="(request-target) host date digest"'
    assert listed in good["Signature"]
    [claim] = signatures.claims(request(good, b"x"), BASE, NOW)
    claim.check(_public("rsa"))
    for other in ("(Request-Target) HOST Date DIGEST", "(request-target)  host date digest", " (request-target) host date digest"):
        changed = good | {"Signature": good["Signature"].replace(listed, f'headers="{other}"')}
        try:
            [claim] = signatures.claims(request(changed, b"x"), BASE, NOW)
            claim.check(_public("rsa"))
        except Unauthorized:
            continue
        assert claim.covered.keys() == {"host", "date", "digest"}
    with pytest.raises(Unauthorized, match="covered twice"):
        signatures.claims(request(good | {"Signature": good["Signature"].replace(listed, listed[:-1] + ' host"')}, b"x"), BASE, NOW)
    folded = request(good | {"Date": "  " + good["Date"] + "\t"}, b"x")
    [claim] = signatures.claims(folded, BASE, NOW)
    claim.check(_public("rsa"))


@pytest.mark.parametrize("form", signatures.FORMS)
def test_what_is_signed_for_another_time_host_method_or_target_is_refused(form: str) -> None:
    good = signatures.sign(SIGNERS["ed25519"], "POST", BASE + "/inbox", b"x", NOW, form=form)
    [claim] = signatures.claims(request(good, b"x"), BASE, NOW + 4 * MINUTE)
    claim.check(_public("ed25519"))
    for incoming, base, now in (
        (request(good, b"x"), BASE, NOW + 6 * MINUTE),
        (request(good, b"x"), BASE, NOW - 6 * MINUTE),
        (request(good, b"y"), BASE, NOW),
        (request(good, b"x"), "https://other.example", NOW),
        (request(good, b"x", target="/other"), BASE, NOW),
        (request(good, b"x", method="PUT"), BASE, NOW),
    ):
        with pytest.raises(Unauthorized):
            [one.check(_public("ed25519")) for one in signatures.claims(incoming, base, now)]
    other = keys.PublicKey("u", "ed25519", keys.multibase(Ed25519PrivateKey.generate().public_key().public_bytes_raw()), "1", "u")
    with pytest.raises(Unauthorized, match="not by this key"):
        claim.check(other)
