"""Shows which keys are taken and which refused, that pinned ones stay, and that private halves open under their node's key alone."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.actors import keys
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.admin import partners as acts
from fedcollab.base.crypto import base58
from fedcollab.base.errors import BadRequest, Misconfigured
from tests import nodes
from tests.rows import SETTINGS, START, Hands, home, memory, node, organisation, rsa_key
from tests.timing import spending


def pem(key: object) -> str:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()  # type: ignore[attr-defined]


def der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8 or 1)
    return bytes([tag]) + (size if len(body) < 128 else bytes([0x80 | len(size)]) + size) + body


def number(value: int) -> bytes:
    return der(2, value.to_bytes(value.bit_length() // 8 + 1))


def rsa_pem(modulus: int, exponent: int) -> str:
    """An RSA key's PEM however absurd its numbers."""
    bits = der(3, b"\0", der(0x30, number(modulus), number(exponent)))
    encoded = base64.encodebytes(der(0x30, der(0x30, bytes.fromhex("06092a864886f70d010101"), b"\x05\0"), bits)).decode()
    return f"-----BEGIN PUBLIC KEY-----\n{encoded}-----END PUBLIC KEY-----\n"


GOOD_MODULUS = rsa_key().public_key().public_numbers().n
WEAK = {
    "1024 bits": pem(rsa.generate_private_key(65537, 1024).public_key()),
    "512 bits": rsa_pem((1 << 511) + 187, 65537),
    "65536 bits": rsa_pem((1 << 65535) + 1, 65537),
    "exponent 1": rsa_pem(GOOD_MODULUS, 1),
    "exponent 2": rsa_pem(GOOD_MODULUS, 2),
    "huge exponent": rsa_pem(GOOD_MODULUS, GOOD_MODULUS - 2),
    "another curve": pem(ec.generate_private_key(ec.SECP256R1()).public_key()),
    "another type": pem(dsa.generate_private_key(1024).public_key()),
    "an Ed25519 key": pem(ed25519.Ed25519PrivateKey.generate().public_key()),
    "a private key": rsa_key()
    .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    .decode(),
    "no key": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
    "words": "a shared secret",
    "nothing": "",
}


@pytest.mark.rule("SIG-15")
@pytest.mark.parametrize("which", WEAK)
def test_a_weak_or_absurd_rsa_key_is_refused_at_once(which: str) -> None:
    with spending() as spent, pytest.raises(BadRequest):
        keys.load_public(keys.RSA, WEAK[which])
    assert spent.seconds < 0.5
    assert keys.load_public(keys.RSA, pem(rsa_key().public_key()))


@pytest.mark.rule("SIG-15")
@given(
    st.one_of(
        st.text(),
        st.binary(max_size=40).map(lambda raw: "z" + base58(raw)),
        st.binary(max_size=40).map(lambda raw: "z" + base58(b"\xed\x01" + raw)),
    )
)
def test_any_text_is_an_ed25519_key_or_refused(text: str) -> None:
    try:
        key = keys.load_public(keys.ED25519, text)
    except BadRequest:
        return
    assert isinstance(key, ed25519.Ed25519PublicKey)
    assert keys.multibase(key.public_bytes_raw()).removeprefix("z") == text.removeprefix("z")


@given(st.binary(), st.binary())
def test_a_signature_is_good_for_its_message_and_its_key_alone(message: bytes, other: bytes) -> None:
    ed = ed25519.Ed25519PrivateKey.generate()
    public = keys.multibase(ed.public_key().public_bytes_raw())
    signature = keys.Signer("u", keys.ED25519, ed).sign(message)
    assert keys.verifies(keys.ED25519, public, signature, message)
    assert keys.verifies(keys.ED25519, public, signature, other) == (message == other)
    assert not keys.verifies(keys.RSA, pem(rsa_key().public_key()), signature, message)
    assert not keys.verifies(keys.ED25519, public, signature[:-1], message)


def test_a_pinned_key_stays_whatever_is_said_later() -> None:
    with memory() as session:
        actor_id = organisation(session, "partner.example")
        uri = "https://partner.example/actor#main-key"
        keys.pin(session, node(), actor_id, {uri: (keys.RSA, "first")})
        keys.pin(session, node(), actor_id, {uri: (keys.RSA, "second"), uri + "2": (keys.ED25519, "other")})
        assert actors.keys_of(session, actor_id) == {uri: (keys.RSA, "first"), uri + "2": (keys.ED25519, "other")}


def test_an_actor_of_ours_signs_with_both_keys_and_another_nodes_key_opens_neither() -> None:
    with memory() as session:
        here = node()
        me = home(session, here)
        for uri, (kind, public) in actors.keys_of(session, me.id).items():
            assert uri == me.uri + keys.FRAGMENTS[kind]
            assert keys.verifies(kind, public, keys.signer(session, here, me.id, kind).sign(b"m"), b"m")
            with pytest.raises(Misconfigured, match="another node"):
                keys.signer(session, Node(SETTINGS, b"o" * 32, Hands(START)), me.id, kind)


@pytest.mark.rule("SIG-17")
@pytest.mark.parametrize(
    "public",
    [
        bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),  # RFC 8032's first example
        base64.b64decode("JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs="),  # RFC 9421's
        ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw(),
        (1).to_bytes(32, "little"),  # with the neutral element as a key there are signatures that pass for every text
        bytes(32),
        (2**255 - 20).to_bytes(32, "little"),
    ],
)
def test_a_key_that_everybody_has_or_that_binds_to_nothing_is_refused(public: bytes) -> None:
    with pytest.raises(BadRequest, match="everybody"):
        keys.load_public(keys.ED25519, keys.multibase(public))
    own = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    assert keys.load_public(keys.ED25519, keys.multibase(own))


@pytest.mark.rule("SIG-17")
def test_the_rsa_key_printed_in_the_specification_is_refused_however_it_is_written() -> None:
    printed = """MIIBCgKCAQEAhAKYdtoeoy8zcAcR874L8cnZxKzAGwd7v36APp7Pv6Q2jdsPBRrw
        WEBnez6d0UDKDwGbc6nxfEXAy5mbhgajzrw3MOEt8uA5txSKobBpKDeBLOsdJKFqMGmXCQvEG7YemcxDTRPxAleIAgYYRjTSd/QBwVW9OwNFhekro3RtlinV0a75jfZg
        kne/YiktSvLG34lw2zqXBDTC5NHROUqGTlML4PlNZS5Ri2U4aCNx2rUPRcKIlE0PuKxI4T+HIaFpv8+rdV6eUgOrB2xeI1dSFFn/nnv5OoZJEIB+VmuKn3DCUcCZSFlQ
        PSXSfBDiUGhwOw76WuSSsf1D4b/vLoJ10wIDAQAB"""
    first = f"-----BEGIN RSA PUBLIC KEY-----\n{printed.replace(' ', '')}\n-----END RSA PUBLIC KEY-----\n"
    for text in (first, pem(serialization.load_pem_public_key(first.encode()))):
        with pytest.raises(BadRequest, match="everybody"):
            keys.load_public(keys.RSA, text)


@pytest.mark.rule("SIG-17")
async def test_a_partner_with_a_sample_key_is_not_taken(tmp_path: Path) -> None:
    """Its organisation's document is read and refused; with a key of its own it is taken. No key of a node stands in our documents."""
    p = await nodes.rogue()
    here = await nodes.start(tmp_path, peers=(p.port,))
    true, sample = p.documents["/actor"], ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
    public = keys.multibase(sample.public_key().public_bytes_raw())
    p.signers[true["id"]]["ed25519"] = keys.Signer(true["id"] + "#ed25519-key", keys.ED25519, sample)
    bare = {name: value for name, value in true.items() if name != "proof"}
    p.documents["/actor"] = p.prove(bare | {"assertionMethod": [true["assertionMethod"][0] | {"publicKeyMultibase": public}]}, true["id"])
    before = await here.tables()
    with pytest.raises(BadRequest, match="everybody"):
        await acts.add(here.kernel, here.viewer, p.uri("/actor"), approve=True)
    assert await here.tables() == before
    p.actor("/actor", "Organization")
    await nodes.admit(here, p)
    await here.stop()
    await p.stop()
