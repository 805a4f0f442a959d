"""When cases are open: the states, whatever order things are done in."""

from hypothesis import given
from hypothesis import strategies as st

from fedcollab.sealing import opening
from fedcollab.sealing.opening import OFF, ONE_KEEPER, OPEN, SETTING_UP, SHUT, Facts

FACTS = st.builds(Facts, st.booleans(), st.integers(0, 4), st.booleans(), st.booleans())


def test_the_set_up_goes_from_off_to_open_by_either_of_two_ways() -> None:
    way = [Facts(), Facts(True, 1), Facts(True, 1, True), Facts(True, 1, True, True)]
    assert [opening.state(one) for one in way] == [OFF, SETTING_UP, ONE_KEEPER, OPEN]
    assert opening.state(Facts(True, 2, True)) == OPEN
    assert opening.state(Facts(True, 2)) == SETTING_UP, "two keepers, and both may lose their passwords"
    assert opening.state(Facts(True, 0, True)) == SHUT
    assert opening.state(Facts(True, 0)) == OFF, "the key is lost, and nothing was ever sealed to it"


@given(FACTS)
def test_cases_open_only_where_a_second_way_to_the_key_was_shown_to_be_there(facts: Facts) -> None:
    ways = facts.keepers + (1 if facts.sheets and facts.tried else 0)
    assert opening.opens(facts) == (facts.key and facts.keepers >= 1 and facts.sheets and ways >= 2)


@given(FACTS, st.sampled_from(["keeper", "sheets", "tried"]))
def test_one_more_keeper_or_paper_never_shuts_what_was_open(facts: Facts, more: str) -> None:
    better = facts._replace(keepers=facts.keepers + 1) if more == "keeper" else facts._replace(**{more: True})
    assert opening.opens(facts) <= opening.opens(better)


@given(FACTS)
def test_there_is_a_next_step_until_everything_is_done_and_what_cannot_be_open_has_one(facts: Facts) -> None:
    done, step = opening.done(facts), opening.next_step(facts)
    assert (step == "") == all(done.values())
    assert step == "" or not done[step]
    assert opening.opens(facts) or step or opening.state(facts) == SHUT
    assert list(done) == list(opening.STEPS)
