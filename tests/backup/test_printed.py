"""Shows that the printed key comes back from paper as it was, that slips are found where they are, and that nothing else opens."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.backup import printed
from fedcollab.base.errors import Misconfigured

KEYS = st.binary(min_size=printed.BYTES, max_size=printed.BYTES)
KEY = bytes(range(printed.BYTES))


@given(KEYS, st.sampled_from(["", " ", "-", "\n"]), st.booleans())
def test_what_is_printed_is_read_again_however_it_is_typed(key: bytes, between: str, small: bool) -> None:
    text = between.join(printed.groups(key))
    assert printed.read(text.lower().replace("0", "o").replace("1", "l") if small else text) == key


@given(KEYS, st.integers(0, printed.GROUPS - 1), st.integers(0, printed.EACH), st.sampled_from(printed.LETTERS))
def test_a_wrong_letter_is_noticed_or_makes_another_key(key: bytes, group: int, at: int, letter: str) -> None:
    found = printed.groups(key)
    changed = found[group][:at] + letter + found[group][at + 1 :]
    if changed == found[group]:
        return
    found[group] = changed
    with contextlib.suppress(Misconfigured):
        assert printed.read(" ".join(found)) != key


def test_a_slip_is_found_in_its_group() -> None:
    for at, group in enumerate(printed.groups(KEY)):
        for letter in set(printed.LETTERS) - {group[-1]}:
            typed = [*printed.groups(KEY)[:at], group[:-1] + letter, *printed.groups(KEY)[at + 1 :]]
            with pytest.raises(Misconfigured, match=f"slip in group {at + 1}\\."):
                printed.read(" ".join(typed))


@pytest.mark.parametrize("text", ["", "abc", "0" * 64, "0" * 66, "ü" * 65, "!" * 65])
def test_what_is_no_key_at_all_is_told_how_long_one_is(text: str) -> None:
    with pytest.raises(Misconfigured, match="13 groups"):
        printed.read(text)


def test_two_groups_in_each_others_place_are_noticed() -> None:
    found = printed.groups(KEY)
    found[3], found[4] = found[4], found[3]
    with pytest.raises(Misconfigured, match="group 4, 5"):
        printed.read("".join(found))


def test_only_the_printed_key_opens_what_was_sealed_for_it_and_only_for_its_purpose() -> None:
    ours, other = printed.pair(KEY), printed.pair(printed.make())
    sealed = printed.seal(ours.public, b"words", "manifest")
    assert b"words" not in sealed
    assert printed.unseal(printed.pair(KEY).private, sealed, "manifest") == b"words"
    for private, box, purpose in (
        (other.private, sealed, "manifest"),
        (ours.private, sealed, "master key"),
        (ours.private, sealed[:-1] + b"?", "manifest"),
        (ours.private, b"", "manifest"),
    ):
        with pytest.raises(Misconfigured, match="another backup's"):
            printed.unseal(private, box, purpose)
    assert printed.name(ours.public) != printed.name(other.public)
