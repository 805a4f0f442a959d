"""Sealed messages: who opens one, where, and what is refused."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.canonical import canonical
from fedcollab.base.errors import BadRequest
from fedcollab.sealing import messages, pairs, texts
from fedcollab.sealing.locked import decrypt, derive, encrypt
from fedcollab.sealing.messages import Place, Sealed, kept, open_sealed, parse, seal
from fedcollab.sealing.padding import padded, unpadded
from fedcollab.sealing.shut import Shut

from .envelopes import ANNA, CONTENT, PERSON, PLACE, SECRET, A, B, another, message, moved, never_opens
from .envelopes import json as any_json

KEYS = [pairs.generate().public, PERSON.public]
SEALED = message()


@given(st.dictionaries(st.text(max_size=8).filter(lambda name: "\0" not in name), any_json, max_size=5))
def test_what_was_sealed_opens_as_it_was_or_is_refused_before_it_is_sealed(content: dict[str, Any]) -> None:
    try:
        sealed = seal(SECRET, PERSON, content, PLACE)
    except ValueError:
        assert "\\u0000" in json.dumps(content)
        return
    again = parse(json.loads(json.dumps(sealed.document())))
    assert again == sealed
    opened = open_sealed(again, SECRET, KEYS)
    assert canonical(opened.content) == canonical(content)
    assert opened.kid == PERSON.public.kid


def test_a_message_comes_back_as_it_was_kept_under_its_own_id_alone() -> None:
    assert kept(SEALED.to_bytes(), PLACE.id) == SEALED
    with pytest.raises(Shut):
        kept(SEALED.to_bytes(), A + "/messages/2")


def test_a_kept_message_with_any_byte_changed_stays_shut() -> None:
    never_opens(lambda data: open_sealed(kept(data, PLACE.id), SECRET, KEYS), SEALED.to_bytes())


def test_a_text_with_any_byte_changed_stays_shut() -> None:
    never_opens(lambda ct: open_sealed(replace(SEALED, ct=ct), SECRET, KEYS), SEALED.ct)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("room", A + "/rooms/2"),
        ("epoch", 2),
        ("ck", texts.written(bytes(32))),
        ("id", A + "/messages/2"),
        ("from", A + "/people/bora"),
        ("salt", texts.written(bytes(32))),
        ("acks", {}),
        ("acks", {B: texts.written(b"\1" * 32)}),
    ],
)
def test_a_message_whose_header_was_changed_stays_shut(name: str, value: object) -> None:
    assert open_sealed(parse(SEALED.document()), SECRET, KEYS).content == CONTENT
    with pytest.raises(Shut):
        open_sealed(parse(SEALED.document() | {name: value}), SECRET, KEYS)


@given(st.sampled_from(sorted(SEALED.document())), any_json)
def test_a_document_that_was_changed_is_refused_or_stays_shut(name: str, value: object) -> None:
    changed = SEALED.document() | {name: value}
    if json.dumps(changed, sort_keys=True) == json.dumps(SEALED.document(), sort_keys=True):
        return
    with pytest.raises((BadRequest, Shut)):
        open_sealed(parse(changed), SECRET, KEYS)


def test_a_message_is_not_carried_to_another_room_epoch_or_list_of_members() -> None:
    _, later = another()
    for secret in (later, moved(SECRET, room=A + "/rooms/2"), moved(SECRET, epoch=2), moved(SECRET, ck=texts.written(bytes(32)))):
        with pytest.raises(Shut):
            open_sealed(SEALED, secret, KEYS)
    carried = seal(later, PERSON, CONTENT, PLACE)
    assert open_sealed(carried, later, KEYS).content == CONTENT
    with pytest.raises(Shut):
        open_sealed(replace(SEALED, head=carried.head, salt=carried.salt, ck=later.ck, epoch=2), later, KEYS)


def test_headers_and_texts_of_two_messages_are_not_swapped() -> None:
    other = message(place=Place(A + "/messages/2", ANNA, PLACE.acks))
    for mixed in (
        replace(SEALED, ct=other.ct),
        replace(other, ct=SEALED.ct),
        replace(SEALED, head=other.head),
        replace(SEALED, salt=other.salt),
    ):
        with pytest.raises(Shut):
            open_sealed(mixed, SECRET, KEYS)


def _inside(change: Any) -> Sealed:
    """The message whose plain text another member of the room has changed and sealed again under the same header."""
    key = derive(SECRET.raw, SEALED.salt, SEALED.head)
    plain = unpadded(decrypt(key, SEALED.ct, SEALED.head))
    return replace(SEALED, ct=encrypt(key, change(plain), SEALED.head))


def test_another_member_of_the_room_cannot_put_words_into_somebody_s_mouth() -> None:
    assert open_sealed(_inside(padded), SECRET, KEYS).content == CONTENT
    for change in (
        lambda plain: padded(plain.replace(b"safe", b"lost")),
        lambda plain: padded(plain[:-1] + bytes([plain[-1] ^ 1])),
        lambda plain: padded(plain[-96:]),
        lambda plain: padded(plain[-95:]),
        lambda plain: padded(b""),
        lambda plain: plain,
        lambda plain: padded(plain) + bytes(16),
    ):
        with pytest.raises(Shut):
            open_sealed(_inside(change), SECRET, KEYS)


def test_a_signature_is_not_carried_to_another_message() -> None:
    place = Place(A + "/messages/2", ANNA, {})
    blank = seal(SECRET, pairs.generate(), CONTENT, place)
    key = derive(SECRET.raw, SEALED.salt, SEALED.head)
    plain = unpadded(decrypt(key, SEALED.ct, SEALED.head))
    forged = replace(blank, ct=encrypt(derive(SECRET.raw, blank.salt, blank.head), padded(plain), blank.head))
    with pytest.raises(Shut):
        open_sealed(forged, SECRET, KEYS)
    honest = seal(SECRET, PERSON, CONTENT, place)
    assert open_sealed(honest, SECRET, KEYS).content == CONTENT


def test_a_message_by_a_key_that_is_not_its_author_s_stays_shut() -> None:
    for keys in ([], KEYS[:1], [pairs.PersonPublic(PERSON.public.raw, KEYS[0].signing)]):
        with pytest.raises(Shut):
            open_sealed(SEALED, SECRET, keys)


@pytest.mark.parametrize("text", [b"[]", b"{", b'{"a":1,"a":2}', b'{"b":1,"a":2}', b'{"a": 1}', b'{"a":1.0}', b"\xff", b'{"a":"\\u0000"}'])
def test_a_signed_text_that_two_readers_could_read_differently_stays_shut(text: bytes) -> None:
    key, kid = derive(SECRET.raw, SEALED.salt, SEALED.head), texts.read(PERSON.public.kid, 32, 32)

    def by_its_author(content: bytes) -> Sealed:
        signature = PERSON.sign(messages.PURPOSE, messages._signed(SEALED.head, content))
        return replace(SEALED, ct=encrypt(key, padded(content + kid + signature), SEALED.head))

    assert open_sealed(by_its_author(b'{"a":1}'), SECRET, KEYS).content == {"a": 1}
    with pytest.raises(Shut):
        open_sealed(by_its_author(text), SECRET, KEYS)


def test_the_same_sealed_twice_shares_nothing() -> None:
    one, other = message(), message()
    assert one.salt != other.salt
    assert not {one.ct[at : at + 8] for at in range(0, len(one.ct), 8)} & {other.ct[at : at + 8] for at in range(0, len(other.ct), 8)}


def test_short_messages_all_have_one_size_and_longer_ones_few() -> None:
    sizes = [seal(SECRET, PERSON, {"text": "x" * length}, PLACE).size for length in range(0, 2000, 20)]
    assert sizes[:7] == [256] * 7
    assert len(set(sizes)) < 50
    assert SEALED.size == len(SEALED.ct) - 16


def test_the_largest_message_is_sealed_and_read_and_what_is_larger_is_refused() -> None:
    content = {"text": "x" * (messages.LARGEST - len('{"text":""}'))}
    largest = seal(SECRET, PERSON, content, PLACE)
    assert open_sealed(parse(largest.document()), SECRET, KEYS).content == content
    assert len(canonical(largest.document())) < 1_000_000
    with pytest.raises(ValueError, match="500,000 bytes"):
        seal(SECRET, PERSON, {"text": content["text"] + "x"}, PLACE)
    with pytest.raises(BadRequest):
        parse(largest.document() | {"ct": texts.written(bytes(messages.LARGEST_SEALED + 1))})


@pytest.mark.parametrize(
    "content", [{"a": float("nan")}, {"a": 2**53}, {"a": 2.0**53}, {"a": "\ud800"}, {"a": "\0"}, {"a": list(range(10_001))}]
)
def test_what_nobody_could_read_is_never_sealed(content: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        seal(SECRET, PERSON, content, PLACE)


@pytest.mark.parametrize(
    "change", [{"v": 2}, {"v": True}, {"alg": "none"}, {"alg": ""}, {"acks": []}, {"acks": {B: "x"}}, {"more": 1}, {"ct": "u"}]
)
def test_a_document_of_another_form_is_refused_before_any_key_is_asked(change: dict[str, object]) -> None:
    assert parse(SEALED.document() | {"type": "Message", "@context": [], "proof": {}}) == SEALED
    with pytest.raises(BadRequest):
        parse(SEALED.document() | change)


def test_nothing_of_what_was_sealed_shows_itself_outside() -> None:
    opened = open_sealed(SEALED, SECRET, KEYS)
    for shown in (repr(SEALED), repr(opened), str(SEALED.document()), str(SEALED.to_bytes())):
        assert "safe" not in shown
