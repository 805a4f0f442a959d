"""What rests on which consent: each person stands for themselves, a renewal carries on, and neither order nor repetition matters."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fedcollab.sealing.resting import Ground, ended, stopped

ROOM, THINGS, PEOPLE = "room", ("a", "b", "c", "d"), ("", "p", "q")
things = st.frozensets(st.sampled_from((ROOM, *THINGS)), min_size=1)
grounds = st.lists(
    st.builds(Ground, st.uuids().map(str), st.sampled_from(PEOPLE), st.booleans(), st.booleans(), things),
    max_size=6,
    unique_by=lambda g: g.id,
)
one = Ground("1", "p", holds=True, kept=False, things=frozenset({ROOM, "a"}))
other = Ground("2", "q", holds=True, kept=False, things=frozenset({ROOM, "b"}))


def over(ground: Ground) -> Ground:
    return replace(ground, holds=False)


@given(grounds, st.randoms())
def test_neither_order_nor_repetition_matters(found: list[Ground], random: object) -> None:
    mixed = [*found, *found]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert stopped(mixed, ROOM) == stopped(found, ROOM)
    assert ended(mixed) == ended(found)


@pytest.mark.rule("P3")
@given(grounds)
def test_the_end_of_a_consent_never_shows_what_was_stopped_and_stops_nothing_that_it_does_not_name(found: list[Ground]) -> None:
    for at, ground in enumerate(found):
        after = stopped([*found[:at], replace(ground, holds=False, kept=False), *found[at + 1 :]], ROOM)
        assert stopped(found, ROOM) <= after | {ROOM}
        assert after - stopped(found, ROOM) <= ground.things | {ROOM}


@given(grounds)
def test_a_renewal_carries_all_that_it_names_of_its_person_and_stops_nothing(found: list[Ground]) -> None:
    for ground in found:
        if ground.whose:
            carried = stopped([*found, Ground("new", ground.whose, holds=True, kept=False, things=ground.things)], ROOM)
            assert carried <= stopped(found, ROOM)
            others = [one for one in found if one.person != ground.person]
            assert carried & ground.things <= stopped(others, ROOM) | {ROOM}


@pytest.mark.rule("P3")
@given(grounds)
def test_a_message_needs_one_consent_that_holds_of_each_person_who_is_named(found: list[Ground]) -> None:
    for thing in THINGS:
        people = {one.person for one in found if thing in one.things}
        lacks = False
        for person in people:
            mine = [one for one in found if one.person == person and thing in one.things]
            lacks = lacks or not (any(one.holds for one in mine) or all(one.kept for one in mine))
        assert (thing in stopped(found, ROOM)) == lacks


@pytest.mark.rule("P3")
def test_of_a_room_given_on_the_consents_of_two_people_each_takes_back_their_own_and_the_last_closes_it() -> None:
    assert stopped([one, other], ROOM) == set()
    assert stopped([over(one), other], ROOM) == {"a"}
    assert stopped([over(one), over(other)], ROOM) == {ROOM, "a", "b"}
    assert stopped([over(one)], ROOM) == {ROOM, "a"}


def test_what_names_two_people_stops_with_the_consent_of_either() -> None:
    both = replace(other, things=frozenset({ROOM, "a", "b"}))
    assert stopped([over(one), both], ROOM) == {"a"}


def test_a_room_in_which_a_persons_entries_cannot_be_told_closes_with_their_consent() -> None:
    whole = replace(one, things=frozenset({ROOM}))
    assert stopped([over(whole), other], ROOM) == {ROOM}
    unknown = replace(whole, whose="")
    assert stopped([over(unknown), replace(unknown, id="3")], ROOM) == {ROOM}, "as older nodes say it: with the first that ends"


def test_what_the_recipient_keeps_is_shown_until_another_consent_for_it_ends_and_is_not_kept() -> None:
    kept = replace(over(one), kept=True)
    assert stopped([kept, other], ROOM) == set()
    assert stopped([kept, over(replace(one, id="3"))], ROOM) == {ROOM, "a"}


class Recipient(RuleBasedStateMachine):
    """Consents of two people for one recipient, given, renewed, withdrawn and ended in any order, against what each is told."""

    def __init__(self) -> None:
        super().__init__()
        self.grounds: dict[str, Ground] = {}

    @rule(whose=st.sampled_from("pq"), thing=st.sampled_from(THINGS))
    def give(self, whose: str, thing: str) -> None:
        name = f"{whose}{len(self.grounds)}"
        self.grounds[name] = Ground(name, whose, holds=True, kept=False, things=frozenset({ROOM, thing}))

    @rule(whose=st.sampled_from("pq"))
    def renew_and_let_the_old_ones_end(self, whose: str) -> None:
        before = stopped(self.grounds.values(), ROOM)
        mine = [one for one in self.grounds.values() if one.whose == whose]
        name = f"{whose}{len(self.grounds)}"
        if mine:
            carried = frozenset(of for one in mine for of in one.things)
            self.grounds |= {one.id: over(one) for one in mine} | {name: Ground(name, whose, holds=True, kept=False, things=carried)}
            assert stopped(self.grounds.values(), ROOM) <= before

    @rule(whose=st.sampled_from("pq"))
    def withdraw_all(self, whose: str) -> None:
        self.grounds |= {one.id: over(one) for one in self.grounds.values() if one.whose == whose}

    @invariant()
    def whoever_has_withdrawn_all_is_shown_nowhere_and_a_room_is_open_for_who_has_not(self) -> None:
        found = stopped(self.grounds.values(), ROOM)
        there = {one.whose for one in self.grounds.values()}
        hold = {one.whose for one in self.grounds.values() if one.holds}
        for whose in there - hold:
            assert {of for one in self.grounds.values() if one.whose == whose for of in one.things if of != ROOM} <= found
        assert (ROOM in found) == (bool(there) and not hold)


TestRecipient = Recipient.TestCase
