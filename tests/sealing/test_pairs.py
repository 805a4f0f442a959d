"""A person's key: two pairs that are made, named and kept as one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.errors import BadRequest
from fedcollab.sealing import pairs
from fedcollab.sealing.boxes import box, unbox
from fedcollab.sealing.pairs import PersonPrivate, PersonPublic
from fedcollab.sealing.shut import Shut
from fedcollab.sealing.texts import written

OURS, THEIRS = pairs.generate(), pairs.generate()


def test_a_person_opens_what_is_sealed_to_them_also_after_their_key_was_kept() -> None:
    again = PersonPrivate.from_bytes(OURS.to_bytes())
    sealed = box(pairs.published(json.loads(json.dumps(OURS.public.document()))), b"key", "mk:1")
    assert unbox(again, sealed, "mk:1") == b"key"
    with pytest.raises(Shut):
        unbox(THEIRS, sealed, "mk:1")


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_a_signature_holds_for_one_text_one_purpose_and_one_person(text: bytes, other: bytes) -> None:
    signature = OURS.sign("note", text)
    assert OURS.public.signed(signature, "note", text)
    assert OURS.public.signed(signature, "note", other) == (text == other)
    assert not OURS.public.signed(signature, "notes", text)
    assert not THEIRS.public.signed(signature, "note", text)
    assert not OURS.public.signed(other, "note", text)


def test_a_purpose_does_not_run_into_the_text() -> None:
    assert OURS.public.signed(OURS.sign("ab", b"c"), "ab", b"c")
    assert not OURS.public.signed(OURS.sign("ab", b"c"), "a", b"bc")


def test_neither_half_is_changed_behind_the_other() -> None:
    mixed = PersonPublic(OURS.public.raw, THEIRS.public.signing)
    assert len({OURS.public.kid, THEIRS.public.kid, mixed.kid}) == 3
    with pytest.raises(BadRequest, match="another name"):
        pairs.published(OURS.public.document() | {"signing": written(THEIRS.public.signing)})
    with pytest.raises(Shut):
        unbox(OURS, box(mixed, b"key", "x"), "x")


@pytest.mark.parametrize("change", [{"signing": written(bytes(31))}, {"signing": "z" + "1" * 43}, {"signing": None}, {"also": 1}])
def test_what_is_no_person_s_key_is_refused(change: dict[str, object]) -> None:
    assert pairs.published(OURS.public.document()) == OURS.public
    with pytest.raises(BadRequest):
        pairs.published(OURS.public.document() | change)


@pytest.mark.parametrize("written_as", sorted(pairs.SMALL))
def test_a_signing_key_by_which_anybody_can_sign_is_refused(written_as: int) -> None:
    for sign in (0, 1 << 255):
        weak = PersonPublic(OURS.public.raw, (written_as | sign).to_bytes(32, "little"))
        with pytest.raises(BadRequest, match="anybody can sign"):
            pairs.published(weak.document())


def test_the_points_of_small_order_are_the_ones_that_are_refused() -> None:
    """Signed with no secret at all: R = B, s = 1 holds wherever the hash times the key is nothing, for a key of order 8 once in 8 texts."""
    base = bytes.fromhex("58" + "66" * 31)
    forged = base + (1).to_bytes(32, "little")
    for written_as in pairs.SMALL - {pairs.P, pairs.P + 1}:
        weak = PersonPublic(OURS.public.raw, written_as.to_bytes(32, "little"))
        assert any(weak.signed(forged, "note", str(number).encode()) for number in range(300))
    assert not any(OURS.public.signed(forged, "note", str(number).encode()) for number in range(300))


def test_private_halves_show_themselves_nowhere() -> None:
    assert repr(OURS) == "PersonPrivate()"
    for wrong in (b"", OURS.to_bytes()[:-1], b"\1" + OURS.to_bytes()[1:]):
        with pytest.raises(Shut):
            PersonPrivate.from_bytes(wrong)
