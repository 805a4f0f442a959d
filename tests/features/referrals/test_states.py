"""Where a referral stands: the same on both sides, whatever was said and in whichever order it came, twice or late."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.features.referrals.states import (
    ACCEPTED,
    DONE,
    IN_PROGRESS,
    RECIPIENT,
    REJECTED,
    REVOKED,
    SENDER,
    SIDES,
    Standing,
    Word,
    may,
    stands,
)

KINDS = (ACCEPTED, REJECTED, REVOKED, DONE)
WORDS = st.builds(Word, st.integers(0, 5), st.sampled_from(KINDS), st.sampled_from(SIDES), st.sampled_from(("", "Other", "Successful")))


@dataclass
class Side:
    """One organisation's node: what it has said and heard."""

    name: str
    words: set[Word] = field(default_factory=set)
    out: list[Word] = field(default_factory=list)

    def try_to(self, kind: str, at: int) -> None:
        """Says it where it may as things stand here."""
        if kind in may(stands(self.words).state, self.name):
            word = Word(at, kind, self.name, "Other")
            self.words.add(word)
            self.out.append(word)


@given(st.lists(WORDS, max_size=8), st.randoms(use_true_random=False))
def test_the_order_and_the_number_of_times_do_not_matter(words: list[Word], chance: object) -> None:
    shuffled = words * 2
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert stands(shuffled) == stands(words)


@given(
    st.lists(st.tuples(st.sampled_from(("say", "hear")), st.sampled_from(SIDES), st.sampled_from(KINDS), st.integers(0, 9)), max_size=14)
)
def test_both_sides_come_to_the_same_whatever_they_do_and_however_late_they_hear(acts: list[tuple[str, str, str, int]]) -> None:
    sides = {name: Side(name) for name in SIDES}
    for at, (act, name, kind, which) in enumerate(acts):
        if act == "say":
            sides[name].try_to(kind, at)
        else:  # something of the other's arrives: any of it, again or out of turn
            other = sides[RECIPIENT if name == SENDER else SENDER]
            if other.out:
                sides[name].words.add(other.out[which % len(other.out)])
    said = [word for side in sides.values() for word in side.out]
    for side in sides.values():
        side.words.update(said)
    assert stands(sides[SENDER].words) == stands(sides[RECIPIENT].words)
    assert not any(may(stands(said).state, name) for name in SIDES if stands(said).state in (REJECTED, REVOKED, DONE)), "an end is an end"


@given(st.lists(WORDS, max_size=8))
def test_nobody_speaks_for_the_other(words: list[Word]) -> None:
    assert stands(word for word in words if word.by == SENDER).state in (IN_PROGRESS, REVOKED)
    assert stands(word for word in words if word.by == RECIPIENT).state != REVOKED


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ((), IN_PROGRESS),
        ((Word(2, ACCEPTED, RECIPIENT),), ACCEPTED),
        ((Word(2, ACCEPTED, RECIPIENT), Word(1, REVOKED, SENDER)), REVOKED),
        ((Word(2, REJECTED, RECIPIENT, "Other"), Word(1, REVOKED, SENDER)), REJECTED),
        ((Word(2, DONE, SENDER, "Successful"),), IN_PROGRESS),
        ((Word(1, ACCEPTED, RECIPIENT), Word(2, DONE, SENDER, "Other")), DONE),
        ((Word(1, ACCEPTED, SENDER),), IN_PROGRESS),
        ((Word(1, REJECTED, SENDER),), IN_PROGRESS),
        ((Word(1, REVOKED, RECIPIENT),), IN_PROGRESS),
    ],
)
def test_each_state_follows_from_its_words(words: tuple[Word, ...], state: str) -> None:
    assert stands(words).state == state


def test_of_two_outcomes_the_one_of_who_did_the_work_counts_and_the_first_that_it_gave() -> None:
    yes = Word(1, ACCEPTED, RECIPIENT)
    theirs = [Word(5, DONE, RECIPIENT, "Successful"), Word(6, DONE, RECIPIENT, "Other")]
    assert stands([yes, Word(2, DONE, SENDER, "LackOfCapacity"), *theirs]) == Standing(DONE, theirs[0])
