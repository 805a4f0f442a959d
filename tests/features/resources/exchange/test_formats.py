"""The coding of a file and its format are found by what is in it."""

import pytest

from fedcollab.base.errors import BadRequest, TooLarge
from fedcollab.features.resources.exchange import formats
from fedcollab.features.resources.record import Record

from .records import written

TEXT = "title;auteurs\nL'été à Nîmes;Zoé Noël\n"


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_every_unicode_coding_is_known(coding: str) -> None:
    assert formats.text_of(TEXT.encode(coding)) == (TEXT, False)


def test_a_coding_that_does_not_say_so_is_taken_for_western_european_and_that_is_said() -> None:
    assert formats.text_of(TEXT.encode("cp1252")) == (TEXT, True)


def test_xml_says_its_coding_itself() -> None:
    text = '<?xml version="1.0" encoding="iso-8859-15"?>\n<a>œé</a>'
    assert formats.text_of(text.encode("iso-8859-15")) == (text, False)


def test_more_than_two_megabytes_are_not_read() -> None:
    with pytest.raises(TooLarge, match="2 MB"):
        formats.text_of(b"a" * (formats.BYTES + 1))
    assert formats.text_of(b"a" * formats.BYTES)[1] is False


@pytest.mark.parametrize("code", formats.FORMATS)
def test_the_format_is_guessed_from_the_text(code: str) -> None:
    assert formats.guess(written(code, [Record("A title", kind="Guide", authors=("Sokha Prak",))], "TLP:CLEAR")) == code


def test_what_the_text_does_not_say_the_name_does() -> None:
    assert formats.guess("title\nA title\n", "list.CSV") == "csv"
    assert formats.guess("what is this") == ""


@pytest.mark.parametrize("code", formats.FORMATS)
def test_a_file_without_an_entry_is_refused_with_what_to_do(code: str) -> None:
    if code in ("ris", "csv", "rdf"):
        assert [row.record for row in formats.rows("nothing of the kind", code)] == [None]
    else:
        with pytest.raises(BadRequest, match="another format"):
            formats.rows("nothing of the kind", code)
