"""Tables with columns of any name, order and separator; cells that no program may take for formulas."""

import csv
import io

import pytest

from fedcollab.features.resources.exchange import formats, table
from fedcollab.features.resources.exchange.rows import Row
from fedcollab.features.resources.record import Record

from .records import written

EXPECTED = Record("Le premier accueil", ("Léa Dubois", "Zoé Noël"), "Réseau du Port", 2016, "fr", ("FR", "TN"), "Guide", ("Shelter",))


def rows(text: str) -> list[Row]:
    return formats.rows(text, "csv")


TABLES = {
    "en": [
        "Title,Authors,Publisher,Year,Language,Countries,Type,Topics",
        "Le premier accueil,Léa Dubois; Zoé Noël,Réseau du Port,2016,French,FR; TN,Guide,Shelter",
    ],
    "fr": [
        "année;titre;auteurs;éditeur;langue;pays;type de document;mots-clés",
        '2016;Le premier accueil;"Dubois, Léa\nNoël, Zoé";Réseau du Port;français;France, Tunisie;guide;hébergement',
    ],
    "es": [
        "idioma\ttítulo\tautores\teditorial\taño\tpaíses\ttipo\ttemas",
        "francés\tLe premier accueil\tLéa Dubois | Zoé Noël\tRéseau du Port\t2016\tFrancia;Túnez\tguía\talojamiento",
    ],
    "ar": [
        "العنوان;المؤلفون;الناشر;السنة;اللغة;البلدان;النوع;المواضيع",
        "Le premier accueil;Léa Dubois|Zoé Noël;Réseau du Port;٢٠١٦;الفرنسية;فرنسا|تونس;guide;Shelter",
    ],
    "sep": [
        "sep=|",
        "TITLE|Author(s)|ORGANISATION|Publication Year|language|Country|kind|tags",
        "Le premier accueil|Dubois, Léa; Noël, Zoé|Réseau du Port|2016|fre|FRA;TUN|Guide|housing",
    ],
}


@pytest.mark.parametrize("lines", TABLES.values(), ids=TABLES.keys())
def test_columns_are_known_in_four_languages_in_any_order_and_with_any_separator(lines: list[str]) -> None:
    (row,) = rows("\n".join(lines))
    assert row.record == EXPECTED
    assert row.notes == ()


def test_the_table_of_another_program_is_read_and_what_has_no_place_is_said_once() -> None:
    text = (
        '"Key","Item Type","Publication Year","Author","Title","Publication Title",'
        '"ISBN","DOI","Url","Abstract Note","Manual Tags","Extra"\n'
        '"A1","report","2019","Prak, Sokha; Vann, Dara","One","J",'
        '"9780306406157","","https://a.example/","Says\nmuch","forced labor; rivers","x"\n'
        '"A2","report","2020","","Two","","","","","","",""\n'
    )
    first, second = rows(text)
    assert first.record == Record(
        "One",
        ("Sokha Prak", "Dara Vann"),
        year=2019,
        kind="Report",
        topics=("ForcedLabour",),
        summary="Says\nmuch",
        source="https://a.example/",
        identifier="isbn:9780306406157",
    )
    assert [note.text % note.values for note in first.notes] == [
        "These keywords are none of our topics and are left out: rivers",
        "Left out: Publication Title, Extra",
    ]
    assert (second.line, second.notes) == (4, ())


def test_a_table_without_a_column_of_titles_says_what_to_do() -> None:
    (row,) = rows("a,b\n1,2\n")
    assert row.reason
    assert "Name the columns" in row.reason.text


def test_a_quote_that_never_closes_costs_its_own_line() -> None:
    found = rows('title,year\nOne,2001\n"Two,2002\nThree,2003\nFour,"20"04\nFive,2005\n')
    assert [(row.line, row.record.title if row.record else None) for row in found] == [
        (2, "One"),
        (3, None),
        (4, "Three"),
        (5, None),
        (6, "Five"),
    ]


def test_lines_are_counted_through_cells_of_several_lines() -> None:
    found = rows('title,summary\n"One","a\nb\nc"\nTwo,x\n')
    assert [row.line for row in found] == [2, 5]


FORMULAS = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "'=1",
    "''=1",
    '=HYPERLINK("https://evil.example")',
]


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.rule("XSS-05")
def test_no_cell_begins_as_a_formula_does_and_each_comes_back_as_it_was(formula: str) -> None:
    text = written("csv", [Record(formula, (formula,), formula, kind="Guide", summary=formula)], "TLP:CLEAR")
    cells = [cell for line in csv.reader(io.StringIO(text.removeprefix("\ufeff"))) for cell in line]
    assert not [cell for cell in cells if cell[:1] in "=+-@\t\r＝＋－＠" and cell]
    assert table._plain(table.neutral(formula)) == formula


def test_what_is_no_formula_stays_as_it_is() -> None:
    assert [table.neutral(text) for text in ("Forced labour", "'quoted'", "a=b", "3-2", "")] == [
        "Forced labour",
        "'quoted'",
        "a=b",
        "3-2",
        "",
    ]
