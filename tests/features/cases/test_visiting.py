"""Shows who is told to be inside as a guest, on whose word and until when, and what guests may say."""

import pytest

from fedcollab.access.viewer import CASEWORKER, GUEST, Viewer
from fedcollab.base.errors import Forbidden
from fedcollab.features.cases import visiting
from fedcollab.features.cases.folding import fold
from fedcollab.features.cases.kinds import ALL
from fedcollab.features.cases.mending import Masking
from fedcollab.features.cases.record import Entry
from fedcollab.features.cases.visiting import GuestIn, GuestOut
from fedcollab.features.cases.work import Message

from .entries import NOW, OPENED, A, B, arrived, filled, look, uri

SARA = GuestIn(at=NOW, person="https://a.example/people/sara", name="Sara Lind", works_for="Police of Xanten", type="LawEnforcement")


def inside(*came: tuple[str, Entry, str]) -> list[str]:
    """The names of those who are inside by these entries, whatever order they came in."""
    told = [arrived("opened", OPENED), *(arrived(*one) for one in came)]
    found = [[guest.entry.name for guest in fold(order, look()).guests] for order in (told, told[::-1])]
    assert found[0] == found[1]
    return found[0]


def test_a_guest_is_inside_until_the_organisation_that_told_of_them_tells_of_their_end() -> None:
    ended = GuestOut(at=NOW + 1, of=uri("g"))
    assert inside(("g", SARA, A)) == ["Sara Lind"]
    assert inside(("g", SARA, A), ("e", ended, A)) == []
    assert inside(("g", SARA, A), ("e", ended, B)) == ["Sara Lind"], "not on another one's word"


def test_nobody_tells_of_a_guest_of_another_organisation() -> None:
    assert inside(("g", SARA, B)) == []


@pytest.mark.parametrize(("until", "there"), [("2026-09-20", False), ("2027-11-30", True)])
def test_a_guest_whose_last_day_has_passed_is_inside_no_more(until: str, there: bool) -> None:
    assert bool(inside(("g", filled(GuestIn, person=SARA.person, until=until), A))) is there


def test_that_a_guest_is_inside_stays_in_sight_where_the_words_of_it_are_hidden() -> None:
    assert inside(("g", SARA, A), ("m", Masking(at=NOW + 1, of=(uri("g"),)), A)) == [""]


def test_a_guest_says_what_is_theirs_to_say_and_nothing_else() -> None:
    guest, worker = Viewer("", "p", frozenset({GUEST})), Viewer("o", "p", frozenset({CASEWORKER}))
    theirs = {"message", "contact", "task", "progress", "file", "suspected"}
    assert {kind.KIND for kind in ALL} >= theirs
    visiting.check(guest, Message(at=NOW, text="Hello"))
    for kind in ALL:
        entry = object.__new__(kind)
        visiting.check(worker, entry)
        if kind.KIND not in theirs:
            with pytest.raises(Forbidden, match="Guests write messages"):
                visiting.check(guest, entry)
