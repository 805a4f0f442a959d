"""Boxes: who opens one, where, and what is taken for a public half."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.canonical import canonical
from fedcollab.base.errors import BadRequest
from fedcollab.sealing import boxes, pairs
from fedcollab.sealing.boxes import Private, Public, box, unbox
from fedcollab.sealing.shut import Shut
from fedcollab.sealing.texts import written

from .envelopes import never_opens
from .rfc9180 import open_box

OURS, THEIRS = boxes.generate(), boxes.generate()


@given(
    st.binary(max_size=300), st.text(max_size=20), st.dictionaries(st.text(max_size=9), st.text(max_size=9) | st.integers(0, 9), max_size=3)
)
def test_a_box_opens_for_its_key_as_what_it_is(plain: bytes, of: str, bound: dict[str, str | int]) -> None:
    assert unbox(OURS, box(OURS.public, plain, of, bound), of, bound) == plain


def test_a_box_moved_elsewhere_stays_shut() -> None:
    sealed = box(OURS.public, b"key", "mk:one", {"room": "a", "epoch": 1})
    assert unbox(OURS, sealed, "mk:one", {"epoch": 1, "room": "a"}) == b"key"
    for key, of, bound in [
        (THEIRS, "mk:one", {"room": "a", "epoch": 1}),
        (OURS, "mk:two", {"room": "a", "epoch": 1}),
        (OURS, "mk:one", {"room": "b", "epoch": 1}),
        (OURS, "mk:one", {"room": "a", "epoch": "1"}),
        (OURS, "mk:one", {"room": "a"}),
        (OURS, "mk:one", None),
    ]:
        with pytest.raises(Shut):
            unbox(key, sealed, of, bound)


def test_a_box_with_any_byte_changed_stays_shut() -> None:
    never_opens(lambda sealed: unbox(OURS, sealed, "ok:1"), box(OURS.public, bytes(32), "ok:1"))


def test_what_is_larger_than_a_box_is_not_even_tried() -> None:
    assert len(unbox(OURS, box(OURS.public, bytes(boxes.LARGEST_PLAIN), "x"), "x")) == boxes.LARGEST_PLAIN
    with pytest.raises(ValueError, match="a key of its own"):
        box(OURS.public, bytes(boxes.LARGEST_PLAIN + 1), "x")
    with pytest.raises(Shut):
        unbox(OURS, bytes(boxes.LARGEST + 1), "x")


def test_two_boxes_of_the_same_differ() -> None:
    assert box(OURS.public, b"key", "x") != box(OURS.public, b"key", "x")


def test_other_software_opens_our_boxes_by_the_standards_alone() -> None:
    halves = MLKEM768PrivateKey.from_seed_bytes(OURS.raw[:64]), X25519PrivateKey.from_private_bytes(OURS.raw[64:])
    info = {"box": 1, "suite": "HPKE-647a-0001-0003", "of": "ok:1", "to": OURS.public.kid, "bound": {"epoch": 3}}
    assert open_box(*halves, box(OURS.public, b"key", "ok:1", {"epoch": 3}), canonical(info)) == b"key"


def test_a_public_half_comes_back_as_it_was_published() -> None:
    said = json.loads(json.dumps(OURS.public.document()))
    assert boxes.published(said) == OURS.public
    assert boxes.published(said).kid == said["kid"]


@pytest.mark.parametrize(
    "change",
    [
        {"kid": THEIRS.public.kid},
        {"kid": None},
        {"suite": "HPKE-0020-0001-0003"},
        {"suite": ["HPKE-647a-0001-0003"]},
        {"box": THEIRS.public.document()["box"]},
        {"box": OURS.public.document()["box"] + "="},
        {"box": OURS.public.document()["box"][1:]},
        {"box": 5},
        {"box": written(OURS.public.raw[:-1])},
        {"more": 1},
    ],
)
def test_what_is_no_public_half_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(BadRequest):
        boxes.published(OURS.public.document() | change)


@pytest.mark.parametrize("raw", [OURS.public.raw[:-32] + bytes(32), OURS.public.raw[:-32] + b"\1" + bytes(31), b"\xff" * 1216])
def test_a_public_half_to_which_nothing_can_be_sealed_is_refused_when_it_comes_and_not_when_it_is_used(raw: bytes) -> None:
    with pytest.raises(BadRequest, match="nothing can be sealed"):
        boxes.published(Public(raw).document())


@pytest.mark.parametrize("said", [None, [], "text", 5, {}, {"suite": boxes.SUITE}])
def test_what_is_no_document_is_refused(said: object) -> None:
    with pytest.raises(BadRequest):
        boxes.published(said)


def test_a_private_half_comes_back_and_shows_itself_nowhere() -> None:
    assert Private.from_bytes(OURS.to_bytes()).public == OURS.public
    person = pairs.generate()
    for wrong in (b"", OURS.to_bytes()[1:], OURS.to_bytes() + b"\0", person.to_bytes()):
        with pytest.raises(Shut):
            Private.from_bytes(wrong)
    assert repr(OURS) == "Private()"
    assert str(OURS.raw)[2:12] not in f"{OURS!r} {OURS}"


def test_what_does_not_open_says_nothing_of_why() -> None:
    errors = []
    for key, sealed in [(THEIRS, box(OURS.public, b"key", "x")), (OURS, b""), (OURS, box(OURS.public, b"key", "y"))]:
        with pytest.raises(Shut) as caught:
            unbox(key, sealed, "x")
        errors.append((str(caught.value), caught.value.reason, caught.value.status, caught.value.__cause__))
    assert len(set(errors)) == 1
