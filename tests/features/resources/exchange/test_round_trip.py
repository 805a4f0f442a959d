"""What is written in any of the formats is read again as it was; no input, however broken, comes to more than rows or a word on it."""

import contextlib
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedcollab.base.errors import BadRequest
from fedcollab.features.resources.checking import checked
from fedcollab.features.resources.exchange import formats
from fedcollab.features.resources.exchange.formats import FORMATS
from fedcollab.features.resources.exchange.rows import Row
from fedcollab.features.resources.record import Record

from .records import RECORDS, written

BIBLIOGRAPHY = Path(__file__).with_name("bibliography.bib").read_text()
SAMPLE = [row.record for row in formats.rows(BIBLIOGRAPHY, "bibtex") if row.record]
every_format = pytest.mark.parametrize("code", FORMATS)


@every_format
@settings(max_examples=60, deadline=None)
@given(records=st.lists(RECORDS, min_size=1, max_size=3), label=st.sampled_from(["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER+STRICT"]))
def test_what_is_written_is_read_again_as_it_was(code: str, records: list[Record], label: str) -> None:
    assert formats.rows(written(code, records, label), code) == [
        Row(row.line, record, label) for row, record in zip(formats.rows(written(code, records, label), code), records, strict=True)
    ]


@every_format
def test_a_bibliography_goes_through_every_format_unchanged(code: str) -> None:
    assert len(SAMPLE) == 45
    assert [row.record for row in formats.rows(written(code, SAMPLE, "TLP:GREEN"), code)] == SAMPLE


def mutated(text: str, cuts: list[tuple[int, int, str]]) -> str:
    for place, length, put in cuts:
        at = place % (len(text) + 1)
        text = text[:at] + put + text[at + length :]
    return text


def tried(text: str, code: str) -> list[Row]:
    """The rows; none where the one word is said that may be."""
    with contextlib.suppress(BadRequest):
        return formats.rows(text, code)
    with pytest.raises(BadRequest, match="no entry in this file"):
        formats.rows(text, code)
    return []


CUTS = st.lists(
    st.tuples(
        st.integers(0, 20_000),
        st.integers(0, 40),
        st.one_of(
            st.text(max_size=5), st.sampled_from(["{", "}", '"', "@a{", "\\", "$", "\nTY  - \n", "<", "]]>", "\n;", "'=", "\ud800", "\0"])
        ),
    ),
    min_size=1,
    max_size=8,
)


@every_format
@settings(max_examples=60, deadline=None)
@given(cuts=CUTS, first=st.integers(0, 40))
def test_no_file_that_is_broken_anywhere_comes_to_more_than_rows(code: str, cuts: list[tuple[int, int, str]], first: int) -> None:
    text = mutated(written(code, SAMPLE[first : first + 4], "TLP:GREEN"), cuts)
    text, _ = formats.text_of(text.encode("utf-8", "replace"))
    rows = tried(text, code)
    assert all((row.record is None) != (row.reason is None) and row.line >= 1 for row in rows)
    for row in rows:
        assert row.record is None or checked(row.record) == row.record
        assert all(note.text % note.values for note in (*row.notes, *filter(None, [row.reason])))


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=400), code=st.sampled_from(list(FORMATS)))
def test_any_bytes_are_some_text_and_any_text_is_read(data: bytes, code: str) -> None:
    text, _ = formats.text_of(data)
    assert "\0" not in text
    formats.guess(text)
    assert len(tried(text, code)) < 400


LARGE = {
    "braces": ("bibtex", "{"),
    "beginnings": ("bibtex", "@a{"),
    "joined": ("bibtex", '""#'),
    "accents": ("bibtex", '\\"u '),
    "tags": ("ris", "TY  - X\n"),
    "lines": ("ris", "y\n"),
    "quotes": ("csv", '"x\n'),
    "columns": ("csv", "title,"),
    "elements": ("rdf", "<a>"),
    "attributes": ("rdf", 'b="c" '),
}
BEFORE = {"joined": "@a{k,title=", "accents": "@a{k,title={", "lines": "TY  - X\nAB  - ", "quotes": "title\n", "attributes": "<a "}


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.rule("DOS-20")
def test_two_megabytes_of_anything_are_read_within_the_time_that_a_file_has(name: str) -> None:
    code, part = LARGE[name]
    text = BEFORE.get(name, "") + part * (formats.BYTES // len(part))
    begun = time.monotonic()
    rows: list[Row] = []
    with contextlib.suppress(BadRequest):
        rows = formats.rows(text, code)
    assert len(rows) <= formats.ROWS + 1
    assert time.monotonic() - begun < formats.SECONDS + 5


@every_format
def test_of_too_many_entries_the_first_are_read_and_the_last_row_says_where_the_rest_begins(code: str) -> None:
    many = [Record(f"Title {number}", kind="Guide") for number in range(formats.ROWS + 2)]
    ample = 100.0  # seconds: how many it takes is another rule than for how long
    rows = formats.rows(written(code, many, ""), code, ample)
    assert len(rows) == formats.ROWS + 1
    assert rows[-1].reason is not None
    assert rows[-1].reason.text == formats.MANY
    assert len(formats.rows(written(code, many[: formats.ROWS], ""), code, ample)) == formats.ROWS


@every_format
def test_what_takes_too_long_is_said_with_what_was_read(code: str) -> None:
    rows = formats.rows(written(code, SAMPLE, ""), code, seconds=0)
    assert len(rows) == 2
    assert rows[0].record == SAMPLE[0]
    assert rows[1].reason is not None
    assert rows[1].reason.text == formats.SLOW
