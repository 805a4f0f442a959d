"""Sizes that are rounded up."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.sealing.padding import FLOOR, padded, padme, rounded, unpadded
from fedcollab.sealing.shut import Shut


@pytest.mark.parametrize(("length", "known"), [(0, 0), (1, 1), (9, 10), (257, 272), (1000, 1024), (65537, 67584), (10**6, 1015808)])
def test_sizes_are_rounded_as_the_paper_does(length: int, known: int) -> None:
    """Of `length` bytes the paper keeps the first floor(log2(floor(log2 L))) + 1 bits behind the leading one, and rounds the rest up."""
    if length > 1:
        exponent = math.floor(math.log2(length))
        step = 1 << exponent - math.floor(math.log2(exponent)) - 1
        assert known == -(-length // step) * step
    assert padme(length) == known


@given(st.integers(2, 2**50))
def test_rounding_costs_at_most_twelve_in_a_hundred_and_changes_nothing_the_second_time(length: int) -> None:
    assert length <= padme(length) <= length * 1.12
    assert padme(padme(length)) == padme(length) <= padme(length + 1)


def test_of_all_sizes_up_to_a_megabyte_some_three_hundred_can_be_told_apart() -> None:
    assert len({rounded(length) for length in range(2**20)}) < 400


@given(st.binary(max_size=2000))
def test_a_padded_text_comes_back(text: bytes) -> None:
    data = padded(text)
    assert unpadded(data) == text
    assert len(data) == rounded(4 + len(text)) >= FLOOR


def test_small_texts_all_look_the_same() -> None:
    assert {len(padded(bytes(length))) for length in range(FLOOR - 4 + 1)} == {FLOOR}


def test_nothing_hides_in_the_padding_and_nothing_is_cut_from_it() -> None:
    text = b"She is safe." * 30
    data = padded(text)
    for at in range(4 + len(text), len(data)):
        with pytest.raises(Shut):
            unpadded(data[:at] + b"x" + data[at + 1 :])
    for other in (b"", data[:-1], data + b"\0", data[:4], (2**32 - 1).to_bytes(4) + data[4:]):
        with pytest.raises(Shut):
            unpadded(other)
