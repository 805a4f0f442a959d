"""The data map names every table and every column, once, and nothing that isn't there; what is kept names every table."""

import re

import pytest

import fedcollab.app  # noqa: F401  # all models
from fedcollab.base.model import Model
from fedcollab.sealing.ring_models import RingModel

from .documents import ROOT, text_of

MAP, KEPT = ROOT / "docs" / "admins" / "data-map.md", ROOT / "docs" / "admins" / "retention.md"
TABLES = {**Model.metadata.tables, **RingModel.metadata.tables}  # two databases, no name in both
ROW = re.compile(r"^\| `(\w+)` \|(.*)\|(.*)\|$", re.MULTILINE)
SAYS = ("What for", "Legal basis, suggested", "Kept", "Seen by", "Leaves the node")


def mapped(text: str) -> dict[str, list[str]]:
    """{table: its columns as the map names them}; a table that stands there twice has its columns twice."""
    found: dict[str, list[str]] = {}
    for table, about_people, rest in ROW.findall(text):
        found.setdefault(table, []).extend(re.findall(r"`(\w+)`", about_people + rest))
    return found


def wrong(text: str) -> list[str]:
    """Tables and columns in which map and database differ."""
    found = mapped(text)
    tables = [f"table {name}" for name in sorted(set(TABLES) ^ set(found))]
    both = sorted(set(TABLES) & set(found))
    return tables + [f"columns of {name}" for name in both if sorted(found[name]) != sorted(TABLES[name].columns.keys())]


@pytest.mark.rule("P27")
def test_every_column_of_every_table_stands_in_the_data_map_once() -> None:
    assert wrong(text_of(MAP)) == []


@pytest.mark.rule("P27")
def test_a_column_or_table_that_the_map_does_not_name_and_an_invented_one_are_found() -> None:
    text = text_of(MAP)
    assert wrong(text.replace("`password_hash`, ", "")) == ["columns of member"]
    assert wrong(text.replace("| `draft` |", "| `drafts` |")) == ["table draft", "table drafts"]
    assert wrong(text.replace("`scopes`, ", "`scopes`, `colour`, ")) == ["columns of client_token"]


def test_no_table_of_the_key_ring_has_the_name_of_another_one() -> None:
    assert len(TABLES) == len(Model.metadata.tables) + len(RingModel.metadata.tables)


@pytest.mark.rule("P27")
def test_each_part_of_the_map_says_what_for_why_how_long_who_sees_it_and_where_it_goes() -> None:
    parts = [part for part in text_of(MAP).split("\n## ") if ROW.search(part)]
    assert len(parts) > 5
    for part in parts:
        assert [name for name in SAYS if f"\n- {name}: " not in part] == [], part.partition("\n")[0]


@pytest.mark.rule("P10")
def test_what_is_kept_names_every_table() -> None:
    assert set(TABLES) - set(re.findall(r"`(\w+)`", text_of(KEPT))) == set()


@pytest.mark.rule("P27")
def test_the_impact_assessment_has_the_four_parts_that_the_law_asks_for() -> None:
    text = text_of(ROOT / "docs" / "admins" / "dpia.md")
    for letter in "abcd":
        assert f"(Art. 35(7)({letter}))" in text
    assert text.count("____") > 30
