"""RIS as its vendors write it."""

from fedcollab.features.resources.exchange import formats
from fedcollab.features.resources.exchange.rows import Row
from fedcollab.features.resources.record import Record

ENDNOTE = """TY  - RPRT\r
AU  - Prak, Sokha\r
AU  - Meridian Outreach,\r
AU  - Berg, Hans, Jr.\r
PY  - 2019/05//\r
TI  - Wages Never Paid:\r
a report\r
PB  - Harbour Network\r
KW  - Forced labor\r
KW  - rivers\r
N2  - First line.\r
\r
Second paragraph.\r
UR  - https://a.example/x; https://b.example/y\r
DO  - 10.1000/ABC\r
SN  - 978-0-306-40615-7\r
LA  - English\r
L1  - internal-pdf://wages.pdf\r
ER  - \r
"""
OTHERS = "\ufeff\n\n1.\nTY - JOUR\nT1 - Short dashes\nA1 - Vann, Dara\nJO - Journal of Invention\nY1 - 1998\nSN - 1234-5678\nER -\n"


def rows(text: str) -> list[Row]:
    return formats.rows(text, "ris")


def test_an_entry_is_read_with_all_that_a_record_has_a_place_for() -> None:
    (row,) = rows(ENDNOTE)
    assert row.record == Record(
        title="Wages Never Paid: a report",
        authors=("Sokha Prak", "Meridian Outreach", "Hans Berg, Jr."),
        publisher="Harbour Network",
        year=2019,
        language="en",
        kind="Report",
        topics=("ForcedLabour",),
        summary="First line.\n\nSecond paragraph.",
        source="https://a.example/x",
        identifier="doi:10.1000/abc",
    )
    assert [note.text % note.values for note in row.notes] == [
        "Of its addresses these are left out: https://b.example/y",
        "A record has one number; these are left out: isbn:9780306406157",
        "These keywords are none of our topics and are left out: rivers",
        "Files are named and not fetched: internal-pdf://wages.pdf",
    ]


def test_other_blanks_a_mark_and_numbers_before_entries_are_taken_as_they_come() -> None:
    stray, row = rows(OTHERS)
    assert (stray.line, stray.record) == (3, None)
    assert row.line == 4
    assert row.record == Record("Short dashes", ("Dara Vann",), "Journal of Invention", 1998, kind="Research")
    assert [note.text % note.values for note in row.notes] == [
        "It names no publisher: what it appeared in is taken for it.",
        "Left out: ISSN",
    ]


def test_an_entry_without_its_end_is_taken_and_that_is_said() -> None:
    first, second = rows("TY  - BOOK\nTI  - One\nTY  - BOOK\nTI  - Two\n")
    assert [row.record and row.record.title for row in (first, second)] == ["One", "Two"]
    assert all("does not end with ER" in row.notes[0].text for row in (first, second))


def test_an_entry_without_a_title_has_its_reason_and_the_next_goes_on() -> None:
    first, second = rows("TY  - BOOK\nAU  - Nobody\nER  - \nTY  - BOOK\nTI  - Two\nER  - \n")
    assert (first.line, first.reason and first.reason.text) == (1, "It has no title.")
    assert (second.line, second.record and second.record.title) == (4, "Two")
