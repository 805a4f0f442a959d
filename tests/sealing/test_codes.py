"""Codes on paper: what is forgiven, what is noticed, and what is said of a slip."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.errors import Refused
from fedcollab.sealing import codes
from fedcollab.sealing.codes import LETTERS, make, printed, read

BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
secrets = st.binary(min_size=16, max_size=16)


@pytest.mark.parametrize("known", ["a1lqfn3a", "split1checkupstagehandshakeupstreamerranterredcaperredlc445v", "?1v759aa"])
def test_the_sum_is_that_of_bech32m(known: str) -> None:
    kind, _, data = known.rpartition("1")
    assert codes.is_whole([BECH32.index(letter) for letter in data], kind)
    assert not codes.is_whole([BECH32.index(letter) for letter in data], kind + "x")


@given(secrets)
def test_a_code_has_eight_groups_of_four_and_comes_back(secret: bytes) -> None:
    groups = printed(secret, "kind")
    assert [len(group) for group in groups] == [4] * 8
    assert not set("".join(groups)) & set("OILU")
    assert read(" ".join(groups), "kind") == ("kind", secret)


@given(secrets, st.data())
def test_typing_is_forgiven(secret: bytes, data: st.DataObject) -> None:
    like = {"0": "0Oo", "1": "1IiLl", "V": "VvUu"}
    typed = [data.draw(st.sampled_from(like.get(letter, letter + letter.lower()))) for letter in "".join(printed(secret, "kind"))]
    between = data.draw(st.sampled_from(["", " ", "-", " - ", "\n", "\u2013", "\t", "\u00a0"]))
    assert read(between.join(typed), "kind") == ("kind", secret)


@given(secrets, st.integers(0, 31), st.sampled_from(LETTERS))
def test_a_single_slip_is_found_and_its_group_named(secret: bytes, at: int, letter: str) -> None:
    right = "".join(printed(secret, "kind"))
    typed = right[:at] + letter + right[at + 1 :]
    if typed == right:
        assert read(typed, "kind") == ("kind", secret)
        return
    with pytest.raises(Refused) as caught:
        read(typed, "kind", "other")
    assert caught.value.in_words() == f"There is a slip in group {at // 4 + 1}. Compare it with the paper."


@given(secrets, st.lists(st.tuples(st.integers(0, 31), st.sampled_from(LETTERS)), min_size=2, max_size=4))
def test_up_to_four_slips_are_never_taken_for_a_code(secret: bytes, slips: list[tuple[int, str]]) -> None:
    right = typed = "".join(printed(secret, "kind"))
    for at, letter in slips:
        typed = typed[:at] + letter + typed[at + 1 :]
    if typed != right:
        with pytest.raises(Refused):
            read(typed, "kind")


@given(secrets, st.integers(0, 30))
def test_two_letters_that_changed_places_are_noticed(secret: bytes, at: int) -> None:
    right = "".join(printed(secret, "kind"))
    typed = right[:at] + right[at + 1] + right[at] + right[at + 2 :]
    if typed != right:
        with pytest.raises(Refused):
            read(typed, "kind")


@given(secrets)
def test_a_code_of_one_kind_is_none_of_another(secret: bytes) -> None:
    typed = "".join(printed(secret, "sheet1"))
    assert read(typed, "sheet2", "sheet1") == ("sheet1", secret)
    with pytest.raises(Refused):
        read(typed, "sheet2")


def test_a_code_of_more_than_128_bits_is_none_though_its_letters_are_in_order() -> None:
    assert read("".join(printed((2**128 - 1).to_bytes(16), "kind")), "kind") == ("kind", b"\xff" * 16)
    with pytest.raises(Refused):
        read("".join(printed((2**128).to_bytes(17), "kind")), "kind")


@given(st.text(alphabet=string.printable + "é٣", max_size=60))
def test_whatever_is_typed_is_answered_in_plain_words(typed: str) -> None:
    with pytest.raises(Refused) as caught:
        read(typed, "kind")
    assert typed.strip() not in caught.value.in_words() or len(typed.strip()) < 8


def test_codes_are_made_by_chance() -> None:
    assert len({make() for _ in range(100)}) == 100
    assert len(make()) == 16
