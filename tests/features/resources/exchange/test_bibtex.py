"""BibTeX as people have it: LaTeX, abbreviations, cross references, broken entries."""

import logging

import pytest

from fedcollab.features.resources.exchange import formats, latex
from fedcollab.features.resources.exchange.rows import Row
from fedcollab.features.resources.record import Record


def only(text: str) -> Row:
    (row,) = formats.rows(text, "bibtex")
    return row


def record(text: str) -> Record:
    found = only(text).record
    assert found is not None
    return found


def notes(text: str) -> list[str]:
    return [note.text % note.values for note in only(text).notes if "kind is not known" not in note.text]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"Stra{\ss}e \"uber {\"U}", "Straße über Ü"),
        (r"caf\'e, ni{\~n}o, \c{c}a, \v{s}, {\o}re, {\AA}se, {\l}", "café, niño, ça, š, øre, Åse, ł"),
        (r"l{\'\i} na\"{\i}ve", "lí naïve"),
        (r"$\alpha$ and $n > 5$", "α and n > 5"),
        ("pages 3--5 --- and ``so on''", "pages 3–5 — and “so on”"),
        (r"10\% \& 5\$ \#1 a\_b", "10% & 5$ #1 a_b"),
        ("{The {ILO} and {UN}}", "The ILO and UN"),
        ("50% of wages, A~B", "50% of wages, A B"),
        (r"\textit{In italics} and {\em more}", "In italics and more"),
        (r"{\'E}tude de l'Asie", "Étude de l'Asie"),
    ],
)
def test_latex_becomes_plain_text(written: str, read: str) -> None:
    assert record("@misc{k, title = {" + written + "}}").title == read


def test_latex_that_is_beyond_understanding_costs_its_commands_and_is_said() -> None:
    deep = "{" * 100 + "Deep" + "}" * 100
    assert record("@misc{k, title = {" + deep + "}}").title == "Deep"
    assert notes("@misc{k, title = {" + deep + "}}") == ["It has LaTeX that could not be understood; look at its words."]
    assert latex.decoded("x" * 30_000 + "{a}")[1] is False


def test_no_file_is_read_for_a_command_that_asks_for_one() -> None:
    assert record(r"@misc{k, title = {a \input{/etc/passwd} b \include{/etc/passwd}}}").title == "a b"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Prak, Sokha and Dara Vann", ("Sokha Prak", "Dara Vann")),
        ("von der Heide, Ute", ("Ute von der Heide",)),
        ("Berg, Jr., Hans", ("Hans Berg, Jr.",)),
        ("{Rights and House, Inc.} and Vann, D.", ("Rights and House, Inc.", "D. Vann")),
        ("{Ministry of {S}ocial Affairs}", ("Ministry of Social Affairs",)),
        ('M{\\"u}ller, Anke AND Noël, Zoé', ("Anke Müller", "Zoé Noël")),
        ("سمر حداد and សុខា ប្រាក់", ("سمر حداد", "សុខា ប្រាក់")),
        ("and and and", ("and",)),
    ],
)
def test_names_are_turned_and_taken_apart_outside_of_braces(written: str, read: tuple[str, ...]) -> None:
    assert record("@misc{k, title = {T}, author = {" + written + "}}").authors == read


def test_authors_that_are_not_named_are_said() -> None:
    text = "@misc{k, title = {T}, author = {Prak, Sokha and others}}"
    assert record(text).authors == ("Sokha Prak",)
    assert notes(text) == ["It has further authors that it does not name."]


def test_abbreviations_are_written_out_joined_and_missed() -> None:
    strings = '@string{ngo = "Rights " # "House"}\n@string(of = { of Nowhere})\n'
    found = formats.rows(strings + "@book{k, title = {T}, publisher = ngo # of, month = mar}", "bibtex")[0]
    assert (found.line, found.record and found.record.publisher) == (3, "Rights House of Nowhere")
    assert notes("@book{k, title = {T}, publisher = nobody}") == ["These abbreviations are explained nowhere in the file: nobody"]


@pytest.mark.rule("DOS-20")
def test_abbreviations_that_double_each_other_stay_small() -> None:
    text = '@string{a0 = "xxxxxxxxxx"}' + "".join(f"@string{{a{n} = a{n - 1} # a{n - 1}}}" for n in range(1, 60))
    assert len(record(text + "@book{k, title = a59}").title) == 300


def test_what_an_entry_does_not_say_its_parent_does() -> None:
    child = "@incollection{a, title = {Part}, crossref = {B}, author = {Diallo, Fatou}}"
    parent = "@book{b, title = {Whole}, publisher = {House}, year = 2016, isbn = {9780306406157}}"
    first, second = formats.rows(child + "\n" + parent, "bibtex")
    assert first.record == Record("Part", ("Fatou Diallo",), "House", 2016, kind="Research")
    assert second.record == Record("Whole", publisher="House", year=2016, kind="Other", identifier="isbn:9780306406157")
    assert notes(child) == ["The entry that it refers to is not in the file: b"]


def test_a_broken_entry_is_a_row_with_its_reason_and_the_rest_goes_on() -> None:
    good = "@misc{g, title = {Good}}\n"
    for broken in ('@misc{x, title = "no end}\n', "@misc{x, title = {no end\n", "@misc{x\n", "@misc{x, title {no sign}}\n"):
        rows = formats.rows(good + broken + good, "bibtex")
        assert [row.record is not None for row in rows if row.line != 2] == [True, True], broken
        assert [row.reason is not None for row in rows if row.line == 2] == [True], broken
    (row,) = formats.rows("@misc{x, title = {a} author = {b}}", "bibtex")
    assert row.reason
    assert row.reason.text % row.reason.values == "A comma is missing behind “title”."


def test_comments_are_no_entries() -> None:
    text = 'Words.\n@comment{x, @book{no, title = {No}}}\n@preamble{"\\def\\x{y}"}\n% @book\n@misc{k, title = {Yes}}'
    assert [row.record and row.record.title for row in formats.rows(text, "bibtex")] == ["Yes"]


def test_numbers_addresses_and_kinds_are_found_where_people_put_them() -> None:
    found = record(
        r"@techreport{k, title = {T}, doi = {https://doi.org/10.1000/A\_B}, url = {\url{https://a.example/x_y\%20z}}, type = {Guide}}"
    )
    assert (found.identifier, found.source, found.kind) == ("doi:10.1000/a_b", "https://a.example/x_y%20z", "Guide")
    assert record("@book{k, title = {T}, isbn = {0-306-40615-2}}").identifier == "isbn:9780306406157"
    assert record(r"@misc{k, title = {T}, howpublished = {\url{https://a.example/}}}").source == "https://a.example/"


def test_what_is_left_out_is_said() -> None:
    text = (
        "@article{k, title={T}, keywords={forced labor; rivers, Shelter}, isbn={123}, url={javascript:alert(1)}, pages={1--2}, year={soon}}"
    )
    assert record(text).topics == ("ForcedLabour", "Shelter")
    assert notes(text) == [
        "The year cannot be read and is left out: soon",
        "Of its addresses these are left out: javascript:alert(1)",
        "This is no valid DOI or ISBN and is left out: 123",
        "These keywords are none of our topics and are left out: rivers",
        "Left out: pages",
    ]


def test_nothing_of_a_file_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        formats.rows(r'@misc{secret, title = "no end}' + "\n@misc{k, title = {secret \\unknown{secret} $}}", "bibtex")
    assert "secret" not in caplog.text
