"""Shows that what is hashed and signed is RFC 8785's form, whichever way it was made."""

from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.canonical import canonical

WHOLE = st.integers(-(2**53) + 1, 2**53 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | WHOLE | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=30,
)


@given(VALUES)
def test_every_value_reads_as_the_specification_writes_it(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


def test_names_are_sorted_by_utf_16_units_and_fractions_written_as_scripts_do() -> None:
    assert canonical({"\U0001f600": 1, "\ufb33": 2}) == '{"\U0001f600":1,"\ufb33":2}'.encode()
    assert canonical([1e16, 1.0, 1e-7, 333333333.33333329]) == b"[10000000000000000,1,1e-7,333333333.3333333]"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, -(2**60), 2**70, "\ud800", {"a": ["\udfff"]}, {1: 2}, b"x", object()])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        canonical(value)
