"""Search inside a case: in what is there to be read, and in nothing else."""

import pytest
from hypothesis import given

from fedcollab.features.cases.finding import find, texts
from fedcollab.features.cases.folding import fold
from fedcollab.features.cases.mending import Correction, Masking
from fedcollab.features.cases.people import Health, Identity
from fedcollab.features.cases.record import Entry
from fedcollab.features.cases.work import Decision, Message

from .entries import NOW, OPENED, P, arrived, entries, look, uri, words

CAME = [
    arrived("opened", OPENED),
    arrived("1", Message(at=NOW + 1, text="The shelter in Siem Reap has a bed.")),
    arrived("2", Decision(at=NOW + 2, what="Elle reste à l'hôtel", why="Pas de lit", who=("Sokha Prak", "Anne Müller"))),
    arrived("3", Message(at=NOW + 3, text="المأوى في المدينة")),
    arrived("4", Message(at=NOW + 4, text="នាងនៅផ្ទះសុវត្ថិភាព")),
    arrived("5", Health(at=NOW + 5, person=P, needs="A bed on the ground floor")),
]


def found(asked: str, *knows: str) -> list[str]:
    return [shown.id.rsplit("/", 1)[1] for shown in find(fold(CAME, look(*knows)), asked)]


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ("bed SHELTER", ["1"]),
        ("hotel", ["2"]),
        ("muller", ["2"]),
        ("المدينه", ["3"]),
        ("សុវត្ថិភាព", ["4"]),
        ("bed Bangkok", []),
        ("", []),
        ("  ", []),
    ],
)
def test_entries_are_found_by_all_the_words_asked_for_in_any_script(asked: str, there: list[str]) -> None:
    assert found(asked) == there


def test_nobody_finds_what_they_need_not_know_or_what_is_hidden() -> None:
    assert found("bed", "health") == ["5", "1"]
    assert found("bed") == ["1"]
    came = [
        *CAME,
        arrived("c", Correction(at=NOW + 6, of=uri("1"), entry=Message(at=NOW + 6, text="The shelter is full."))),
        arrived("m", Masking(at=NOW + 7, of=(uri("3"),))),
    ]
    case = fold(came, look())
    assert [shown.id for shown in find(case, "shelter full")] == [uri("c"), uri("1")]
    assert find(case, "المدينة") == find(case, "Siem Reap") == ()


@given(entries())
def test_each_word_of_an_entry_is_looked_at(entry: Entry) -> None:
    assert set(texts(entry)) - {""} <= set(words(entry))
    marked = Identity(at=NOW, person=P, name="A", also=("B",), documents="C", notes="D")
    assert list(texts(marked)) == ["A", "B", "C", "D"]
