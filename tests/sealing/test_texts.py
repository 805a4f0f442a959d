"""Keys and hashes as texts: one spelling each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.errors import BadRequest
from fedcollab.sealing.texts import named, read, written


@given(st.binary(max_size=100))
def test_bytes_come_back(data: bytes) -> None:
    assert read(written(data), len(data), len(data)) == data


@given(st.binary(min_size=1, max_size=40), st.data())
def test_no_other_text_stands_for_the_same_bytes(data: bytes, drawn: st.DataObject) -> None:
    text = written(data)
    at = drawn.draw(st.integers(0, len(text)))
    other = text[:at] + drawn.draw(st.sampled_from(["=", "\n", " ", "+", "/", "A", "é", ""])) + text[at + drawn.draw(st.integers(0, 1)) :]
    try:
        assert read(other, 0, 41) != data or other == text
    except BadRequest:
        assert other != text


@pytest.mark.parametrize("text", ["", "u", "z" + "1" * 40, written(bytes(31)), written(bytes(33)), None, 5, ["u"], "u" * 10**6])
def test_what_is_no_hash_is_refused(text: object) -> None:
    assert named(written(bytes(32))) == written(bytes(32))
    with pytest.raises(BadRequest):
        named(text)
