"""Shows that a proof is good for its very document and key, as an implementation written by hand here computes it too."""

import contextlib
import copy
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.actors import keys
from fedcollab.base.clock import iso
from fedcollab.base.crypto import base58
from fedcollab.base.errors import BadRequest
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import proofs
from tests.rows import START, ed_public, ed_signer, proved_by

SIGNER = ed_signer("https://p.example/people/a")
PUBLIC = ed_public(SIGNER)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), TEXT)


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3)


VALUES = st.recursive(LEAVES, nested, max_leaves=8)
MEMBERS = st.dictionaries(st.text("abcdefg", min_size=1, max_size=4), VALUES, max_size=5)
DOCUMENTS = MEMBERS.map(lambda found: found | {"@context": ["x"], "id": "https://p.example/1"})


@pytest.mark.parametrize(("micros", "written"), [(1_500_000, "01.5Z"), (2_000_000, "02Z"), (10_120_000, "10.12Z"), (1_001_999, "01.001Z")])
def test_a_proofs_time_is_written_without_zeros_at_its_end(micros: int, written: str) -> None:
    """Others read it and write it anew in the shortest form before they hash it."""
    made = proofs.prove({"@context": ap.CONTEXT, "id": "https://p.example/1"}, SIGNER, micros)
    assert made["proof"]["created"] == f"1970-01-01T00:00:{written}"
    assert proofs.created(made) == micros // 1000 * 1000
    assert proved_by(made, keys.ED25519, PUBLIC)


def test_the_members_with_our_keys_are_defined_for_those_who_expand_documents() -> None:
    """The contexts of others define assertionMethod inside proofs alone; without a line of ours, JSON-LD drops the Ed25519 keys."""
    assert {"assertionMethod", "publicKeyMultibase"} <= set(ap.TERMS)
    assert ap.CONTEXT[-1] == ap.TERMS


def prove(document: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(proofs.prove(document, SIGNER, START)))  # type: ignore[no-any-return]


@given(DOCUMENTS)
def test_a_document_is_proved_by_its_signers_key_alone(document: dict[str, Any]) -> None:
    made = prove(document)
    assert proofs.key_uri(made) == SIGNER.uri
    assert prove(prove(document)) == made, "a proof that it had is replaced"
    assert proved_by(made, keys.ED25519, PUBLIC)
    assert not proved_by(made, keys.ED25519, ed_public(ed_signer("u")))
    assert not proved_by(made, keys.RSA, PUBLIC)
    shuffled = dict(reversed(made.items()))
    assert proved_by(shuffled | {"signature": {"type": "another's"}}, keys.ED25519, PUBLIC)


@given(DOCUMENTS, st.data())
def test_any_member_that_is_changed_added_or_taken_away_breaks_the_proof(document: dict[str, Any], data: st.DataObject) -> None:
    made = prove(document)
    name = data.draw(st.sampled_from(sorted(set(made) - {"proof"})))
    gone = {key: value for key, value in made.items() if key != name}
    other = made | {name: data.draw(VALUES.filter(lambda value: canonical(value) != canonical(made[name])))}
    more = made | {data.draw(st.text("xyz", min_size=1)): 1}
    for forged in (gone, other, more):
        assert not proved_by(forged, keys.ED25519, PUBLIC)


@given(DOCUMENTS, st.data())
def test_any_option_of_the_proof_that_is_changed_breaks_it(document: dict[str, Any], data: st.DataObject) -> None:
    made = prove(document)
    name = data.draw(st.sampled_from(sorted(made["proof"])))
    forged = copy.deepcopy(made)
    forged["proof"][name] = data.draw(VALUES.filter(lambda value: canonical(value) != canonical(made["proof"][name])))
    assert not proved_by(forged, keys.ED25519, PUBLIC) or not proofs.key_uri(forged)
    del forged["proof"][name]
    assert not proved_by(forged, keys.ED25519, PUBLIC)


def canonical(value: object) -> bytes:
    """RFC 8785 for text of the first plane and whole numbers, where it is what json writes with sorted names."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def test_a_proof_made_by_hand_is_believed_and_ours_is_what_was_made_by_hand() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
    signer = keys.Signer("https://p.example/people/a#ed25519-key", keys.ED25519, key)
    document = {
        "@context": ["https://www.w3.org/ns/activitystreams", {"x": "urn:x"}],
        "type": "Create",
        "id": "https://p.example/1",
        "n": 7,
        "text": "שלום <ä>\n",
    }
    options = {
        "@context": document["@context"],
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "verificationMethod": signer.uri,
        "proofPurpose": "assertionMethod",
        "created": "2026-02-25T06:13:20Z",
    }
    signature = key.sign(hashlib.sha256(canonical(options)).digest() + hashlib.sha256(canonical(document)).digest())
    value, number = "", int.from_bytes(signature)
    while number:
        number, digit = divmod(number, 58)
        value = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[digit] + value
    by_hand = document | {"proof": options | {"proofValue": "z" + value}}
    assert proved_by(by_hand, keys.ED25519, ed_public(signer))
    assert proofs.prove(document, signer, START) == by_hand


@pytest.mark.parametrize(
    "change",
    [
        {"type": "Ed25519Signature2020"},
        {"cryptosuite": "eddsa-rdfc-2022"},
        {"proofPurpose": "authentication"},
        {"verificationMethod": ["u"]},
        {"verificationMethod": None},
    ],
)
def test_a_proof_of_another_kind_names_no_key(change: dict[str, object]) -> None:
    made = prove({"@context": ["x"], "id": "u"})
    assert proofs.key_uri(made | {"proof": made["proof"] | change}) == ""
    assert proofs.key_uri({}) == ""


def test_of_several_proofs_one_by_the_right_key_is_enough_and_the_others_say_nothing() -> None:
    other = ed_signer("https://p.example/actor")
    document = {"@context": ["x"], "id": "u"}
    one, two = prove(document)["proof"], proofs.prove(document, other, START - 1)["proof"]
    both, ours = document | {"proof": [{"type": "another"}, "x", two, one]}, {SIGNER.uri: (keys.ED25519, PUBLIC)}
    assert proofs.key_uris(both) == [other.uri, SIGNER.uri]
    assert proofs.proved(both, ours)
    assert proofs.created(both) == proofs.created({"proof": two})
    assert not proofs.proved(both | {"more": 1}, ours)
    assert not proofs.proved(document | {"proof": [two, one | {"verificationMethod": other.uri}]}, ours)
    assert not proofs.proved(document | {"proof": [two] * 8 + [one]}, ours), "there is an end to looking"
    assert not proofs.proved(both, {})


@pytest.mark.parametrize(("expires", "good"), [(1, True), (0, False), (-1, False), ("nonsense", False), (None, False)])
def test_a_proof_counts_until_it_says_that_it_ends(expires: object, good: bool) -> None:
    document = {"@context": ["x"], "id": "u"}
    end = iso(START + expires * 1_000_000) if isinstance(expires, int) else expires
    options: dict[str, Any] = {name: part for name, part in proofs.prove(document, SIGNER, START)["proof"].items() if name != "proofValue"}
    options["expires"] = end
    hashed = hashlib.sha256(canonical(options)).digest() + hashlib.sha256(canonical(document)).digest()
    made = document | {"proof": options | {"proofValue": "z" + base58(SIGNER.sign(hashed))}}
    assert proved_by(made, keys.ED25519, PUBLIC, START) is good
    assert proofs.proved(made, {SIGNER.uri: (keys.ED25519, PUBLIC)}, START) is good
    assert not proved_by(made, keys.ED25519, PUBLIC, START + 10_000_000)


@pytest.mark.parametrize("value", ["z0OIl", "z" + "1" * 300, 7, "", "u" + "1" * 64, None, ["z"]])
def test_an_unreadable_proof_value_proves_nothing(value: object) -> None:
    made = prove({"@context": ["x"], "id": "u"})
    made["proof"]["proofValue"] = value
    with contextlib.suppress(BadRequest):  # either answer refuses it
        assert not proved_by(made, keys.ED25519, PUBLIC)
