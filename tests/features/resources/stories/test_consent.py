"""What follows from a person's consent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.access.models import CLEAR, GREEN, STRICT
from fedcollab.access.policy import is_wider
from fedcollab.base.errors import Refused
from fedcollab.features.resources.stories import code, consent
from fedcollab.features.resources.stories.consent import Consent
from fedcollab.features.resources.stories.words import CHANNELS, USES

NOW = 1_000_000
CONSENTS = st.lists(st.builds(Consent, st.sampled_from([*USES]), st.sampled_from([*CHANNELS]), st.integers(NOW - 3, NOW + 3)))
LABELS = st.sampled_from([CLEAR, GREEN, STRICT])


@given(CONSENTS, LABELS)
def test_a_story_is_never_wider_than_a_channel_that_was_agreed_to(consents: list[Consent], label: str) -> None:
    kept = consent.narrowed(label, consents, NOW)
    needs = {CLEAR: "PublicWeb", GREEN: "PartnerLibraries", STRICT: "OurLibrary"}
    if kept:
        assert not is_wider(kept, label)
        assert any(one.channel == needs[kept] and one.until > NOW for one in consents)


@given(CONSENTS, LABELS)
def test_time_only_narrows(consents: list[Consent], label: str) -> None:
    before, after = consent.narrowed(label, consents, NOW), consent.narrowed(label, consents, NOW + 2)
    assert not (after and not before)
    assert not (after and is_wider(after, before))


@given(CONSENTS)
def test_the_widest_label_is_one_that_it_may_keep(consents: list[Consent]) -> None:
    found = consent.widest(consents, NOW)
    assert not found or consent.narrowed(found, consents, NOW) == found


def test_consent_to_print_alone_puts_a_story_into_no_library() -> None:
    assert consent.widest([Consent("Learning", "Print", NOW + 1)], NOW) == ""


def test_consent_lasts_a_year_at_most_and_only_for_what_is_on_the_list() -> None:
    found = consent.given([("Learning", "OurLibrary"), ("Learning", "OurLibrary"), ("Selling", "OurLibrary"), ("Learning", "Stamps")], NOW)
    assert found == [Consent("Learning", "OurLibrary", NOW + consent.YEAR)]


def test_a_code_is_read_as_it_is_printed_in_the_digits_of_any_script() -> None:
    made = code.make()
    arabic = made.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert len({code.read(made), code.read(code.spaced(made)), code.read(arabic), code.read(made.replace("", "-"))}) == 1
    assert code.make() != made
    assert made not in code.read(made)


@given(st.integers(0, 26), st.integers(1, 9))
def test_each_wrong_digit_is_noticed(place: int, step: int) -> None:
    made = code.make()
    wrong = made[:place] + str((int(made[place]) + step) % 10) + made[place + 1 :]
    with pytest.raises(Refused, match="digits"):
        code.read(wrong)


@pytest.mark.parametrize("typed", ["", "12", "x" * 5000, "1" * 5000, "²" * 27])
def test_what_is_no_code_is_refused_in_words(typed: str) -> None:
    with pytest.raises(Refused, match="27 digits"):
        code.read(typed)
