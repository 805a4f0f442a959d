"""What a file is, is found in its bytes; what is not on the list is refused in words that say what to do instead."""

import contextlib
import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedcollab.base.errors import Refused
from fedcollab.files import kinds, packed, texts
from tests.files.made import FRAME, PDF, TAKEN, TYPES, office, opened
from tests.files.made import packed as pack


def found(content: bytes, name: str = "x") -> str:
    return kinds.detect(content[: kinds.HEAD], io.BytesIO(content), name).code


def refusal(content: bytes, name: str = "x") -> str:
    with pytest.raises(Refused) as caught:
        kinds.detect(content[: kinds.HEAD], io.BytesIO(content), name)
    return caught.value.text


@pytest.mark.parametrize("code", sorted(kinds.KINDS))
def test_each_kind_on_the_list_is_known_by_its_bytes(code: str) -> None:
    by_name = code if code in ("csv", "text") else {"markdown": "md"}.get(code, "html")
    assert found(TAKEN[code], f"a.{by_name}" if code in ("csv", "markdown") else "no ending") == code


@pytest.mark.rule("FILE-02")
@pytest.mark.parametrize("code", sorted(kinds.KINDS.keys() - {"text", "csv", "markdown"}))
def test_an_ending_that_lies_about_the_bytes_is_corrected(code: str) -> None:
    """Its legitimate twin: a true name stays as it is."""
    assert found(TAKEN[code], "a.html") == code
    assert kinds.corrected("a.html", kinds.KINDS[code]) == f"a.{kinds.KINDS[code].extension}"
    assert kinds.corrected(f"a.{kinds.KINDS[code].extension}", kinds.KINDS[code]) == f"a.{kinds.KINDS[code].extension}"


def test_what_is_no_ending_of_a_kind_stays_in_the_name() -> None:
    assert kinds.corrected("Report of Dr. Smith", kinds.KINDS["pdf"]) == "Report of Dr. Smith.pdf"
    assert kinds.corrected("photo.JPEG", kinds.KINDS["jpeg"]) == "photo.JPEG"
    assert kinds.corrected(".htaccess", kinds.KINDS["text"]) == ".htaccess.txt"


@pytest.mark.rule("FILE-01")
@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "a.svg"),
        (b"<?xml version='1.0'?><a/>", "a.png"),
        (b"\xef\xbb\xbf \n<!DOCTYPE html><p>x", "a.txt"),
        ("\ufeff<html>".encode("utf-16-le"), "a.txt"),
        (b"plain words", "a.html"),
        (b"From: <x>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=x\r\n", "a.txt"),
    ],
)
def test_pages_drawings_and_xml_are_refused_with_what_to_do(content: bytes, name: str) -> None:
    assert refusal(content, name) == texts.PAGE


@pytest.mark.rule("FILE-05")
@pytest.mark.parametrize(
    ("content", "name"), [(b'{"@context": "x", "type": "Note"}', "a.txt"), (b'[{"a": 1}]', "x"), (b"alert(1)", "a.js"), (b"a: 1", "b.ics")]
)
def test_what_programs_read_is_refused(content: bytes, name: str) -> None:
    assert refusal(content, name) == texts.DATA


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", kinds.EMPTY),
        (b"MZ\x90\0\3\0", texts.MACHINE),
        (b"\x7fELF\2\1\1\0", texts.MACHINE),
        (b"#!/bin/sh\n", texts.MACHINE),
        (b"7z\xbc\xaf\x27\x1c\0", texts.ARCHIVE),
        (b"\x1f\x8b\x08\0", texts.ARCHIVE),
        (b"a" * 100 + b"\0" * 157 + b"ustar\0", texts.ARCHIVE),
        (pack({"a.txt": "x"}), packed.ARCHIVE),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", texts.OLD_OFFICE),
        (b"{\\rtf1 x}", texts.OLD_OFFICE),
        (b"\0\0\0\x18ftypqt  \0\0", texts.RECORDING),
        (b"RIFF\0\0\0\0WAVEfmt ", texts.RECORDING),
        (b"\x1a\x45\xdf\xa3\xa3\x42\x86\x81\x01\x42\x82\x88matroska", texts.RECORDING),
        (b"ID3\x04\0\0\0\0\0\x0a" + b"\0" * 10 + b"not a frame", texts.UNKNOWN),
        (b"\0\1\2\3", texts.UNKNOWN),
    ],
)
def test_what_is_not_on_the_list_is_refused_in_words_for_it(content: bytes, words: str) -> None:
    assert refusal(content) == words


@pytest.mark.rule("FILE-03")
@pytest.mark.parametrize("content", [b"\0\0\0\x18ftypheic\0\0\0\0", b"\0\0\0\x18ftypmif1\0", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"])
def test_pictures_whose_metadata_cannot_be_taken_away_are_refused_with_what_to_do(content: bytes) -> None:
    assert refusal(content, "a.jpg") == texts.PHOTO


@pytest.mark.parametrize(
    "content",
    [
        office("docx", {"word/vbaProject.bin": b"x"}),
        office("xlsx", {"xl/embeddings/a.xlsm": b"x"}),
        office("docx", types=TYPES % ("word/document.xml", "application/vnd.ms-word.document.macroEnabled")),
        opened("odt", {"Basic/Standard/script-lb.xml": "x"}),
        office("docx", {"word/embeddings/a.EXE": b"x"}),
    ],
)
def test_documents_that_carry_programs_are_refused(content: bytes) -> None:
    assert refusal(content, "a.docx") == packed.MACROS


def test_a_document_with_a_table_in_it_is_taken() -> None:
    assert found(office("docx", {"word/embeddings/Microsoft_Excel_Sheet.xlsx": office("xlsx")})) == "docx"
    assert refusal(office("docx", {"word/embeddings/a.zip": pack({"b": "x"})})) == packed.ARCHIVE


def test_a_document_that_would_swell_is_refused_without_unpacking_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = office("docx", {"word/media/a.bin": b"\0" * (24 << 20)})

    def never(*_: object) -> bytes:
        raise AssertionError("it was unpacked")

    monkeypatch.setattr(packed, "_read", never)
    assert refusal(bomb) == packed.SWELLS
    many = pack({f"{number}": "" for number in range(packed.ENTRIES + 1)})
    assert refusal(many) == packed.SWELLS


def test_parts_that_lie_over_each_other_are_counted_as_often_as_they_are_named() -> None:
    """Its list names the one part many times over: small as it is, it would unpack to much more than it holds."""
    whole = bytearray(pack({"mimetype": b"application/epub+zip", "a": bytes(range(256)) * 400}))
    start = whole.index(b"PK\x01\x02", whole.index(b"PK\x01\x02") + 4)
    end = len(whole) - packed.END.size
    entry = bytes(whole[start:end])
    copies = b"".join(entry[:46] + bytes([ord("b") + number]) for number in range(20))
    listing = int.from_bytes(whole[end + 16 : end + 20], "little")
    length = end - listing + len(copies)
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 22, 22, length, listing, 0)
    assert refusal(bytes(whole[:end]) + copies + tail) == packed.SWELLS


def test_a_document_locked_with_a_password_is_refused() -> None:
    content = bytearray(opened("odt"))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert refusal(bytes(content)) == packed.LOCKED


@pytest.mark.rule("FILE-02")
def test_what_stands_before_or_behind_a_packed_document_makes_it_damaged() -> None:
    whole = office("docx")
    assert refusal(whole + b"<html>") == packed.DAMAGED
    assert refusal(b"PK\x03\x04 <script>" + whole) == packed.DAMAGED
    assert refusal(whole[:-40]) == packed.DAMAGED
    assert found(whole) == "docx"


@pytest.mark.rule("FILE-02")
def test_bytes_that_are_two_things_are_what_they_begin_as() -> None:
    assert found(b"GIF89a/*<html><script>alert(1)</script>*/=1;", "a.html") == "gif"
    assert found(PDF + office("docx"), "a.docx") == "pdf"


def test_old_encodings_are_texts_where_the_name_says_so() -> None:
    old = "Prénom;Été\r\n".encode("cp1252")
    assert found(old, "list.csv") == "csv"
    assert refusal(old, "list.bin") == texts.UNKNOWN
    assert found("Prénom\tÉté\r\n".encode("utf-16"), "list.txt") == "text"
    assert refusal(b"a,b\0c", "list.csv") == texts.UNKNOWN


def test_a_long_text_is_read_to_its_end() -> None:
    letters = "ก" * 700_000
    assert found(letters.encode(), "a.txt") == "text"
    assert refusal(letters.encode() + b"\0", "a.txt") == texts.UNKNOWN
    assert refusal(letters.encode()[:-1], "a") == texts.UNKNOWN


def test_a_sound_without_a_label_needs_two_frames() -> None:
    assert found(FRAME * 2) == "mp3"
    assert refusal(FRAME + b"\1" * 40) == texts.UNKNOWN


BEGINNINGS = st.sampled_from([b"", *(content[:12] for content in TAKEN.values()), *sum(texts.BEGINNINGS.values(), ())])


@given(beginning=BEGINNINGS, rest=st.binary(max_size=300), name=st.text(max_size=20))
@settings(max_examples=400, deadline=None)
def test_any_bytes_are_a_kind_on_the_list_or_refused(beginning: bytes, rest: bytes, name: str) -> None:
    content = beginning + rest
    with contextlib.suppress(Refused):
        kind = kinds.detect(content[: kinds.HEAD], io.BytesIO(content), name)
        assert kind in kinds.ALL
        assert kinds.ending(kinds.corrected(name, kind)) in kinds.ENDINGS


@given(code=st.sampled_from(["docx", "ods", "epub"]), data=st.data())
@settings(max_examples=400, deadline=None)
def test_a_packed_document_changed_anywhere_is_itself_or_refused(code: str, data: st.DataObject) -> None:
    content = bytearray(TAKEN[code])
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(4, len(content)))
    for whole in (bytes(content), bytes(content[:cut])):
        with contextlib.suppress(Refused):
            assert kinds.detect(whole[: kinds.HEAD], io.BytesIO(whole), "x").code in kinds.KINDS
