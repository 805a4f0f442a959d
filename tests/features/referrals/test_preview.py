"""Previews and words on the wire: what is written is read back, what is not so written is refused; all previews have one size."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.errors import BadRequest
from fedcollab.base.sector import AGES, LAWFUL_BASIS, REFERRAL_OUTCOME, REFERRAL_REASON, SUPPORT, TRANSFER, WITHOUT_CONSENT
from fedcollab.features.cases import grounds, words
from fedcollab.features.referrals import boxing, preview, wire
from fedcollab.features.referrals.preview import URGENCY, Preview
from fedcollab.features.referrals.states import ACCEPTED, DONE, RECIPIENT, REJECTED, REVOKED, SENDER, Word
from fedcollab.features.referrals.words import CHOICES
from fedcollab.sealing.shut import Shut

from .handed import PREVIEW

HEADER = boxing.Header(
    "https://a.example/referrals/1", "https://a.example/actor", "https://b.example/actor", "https://a.example/rooms/1", "2027-01-31"
)
PREVIEWS = st.builds(
    Preview,
    reason=st.sampled_from(sorted(REFERRAL_REASON)),
    support=st.lists(st.sampled_from(sorted(SUPPORT)), min_size=1, unique=True).map(tuple),
    urgency=st.sampled_from(sorted(URGENCY)),
    age=st.sampled_from(sorted(AGES)),
    languages=st.lists(st.sampled_from(("km", "en", "zh-Hant")), unique=True).map(tuple),
    country=st.sampled_from(("KH", "TH")),
    region=st.sampled_from(("", "Kandal", "កណ្ដាល" * 10)),
    basis=st.sampled_from(sorted(LAWFUL_BASIS)),
    without=st.sampled_from(("", *sorted(WITHOUT_CONSENT))),
    out_of=st.just("KH"),
    into=st.just("TH"),
    transfer=st.sampled_from(sorted(TRANSFER)),
)


@given(PREVIEWS)
def test_what_is_sealed_is_read_back_and_tells_nothing_by_its_size(made: Preview) -> None:
    assert preview.read(made.document()) == made
    sealed = boxing.seal(made, HEADER)
    assert boxing.opened(sealed.ct, sealed.key, HEADER) == made
    assert len(sealed.ct) == boxing.sizes()[0]


@pytest.mark.parametrize(
    "over",
    [
        {"v": 2},
        {"reason": "x"},
        {"support": []},
        {"support": ["x"]},
        {"name": "Sopheap"},
        {"region": "a\nb"},
        {"country": "kh"},
        {"transfer": ""},
    ],
)
def test_what_is_no_preview_is_refused(over: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        preview.read(PREVIEW.document() | over)
    assert preview.read(PREVIEW.document()) == PREVIEW


@pytest.mark.parametrize("name", ["uri", "sender", "recipient", "room", "deadline"])
def test_a_preview_opens_beside_its_own_header_alone(name: str) -> None:
    sealed = boxing.seal(PREVIEW, HEADER)
    with pytest.raises(Shut):
        boxing.opened(sealed.ct, sealed.key, replace(HEADER, **{name: "2027-02-01"}))


@pytest.mark.parametrize(
    ("word", "sent"),
    [
        (Word(5, ACCEPTED, RECIPIENT), True),
        (Word(5, REJECTED, RECIPIENT, "Other"), True),
        (Word(5, REVOKED, SENDER), False),
        (Word(5, DONE, SENDER, "Successful"), False),
        (Word(5, DONE, RECIPIENT, "ClientRefused"), True),
    ],
)
def test_a_word_is_read_as_it_was_written_and_nothing_else_is(word: Word, sent: bool) -> None:
    made = wire.word("https://b.example/activities/1", "https://b.example/actor", HEADER.uri, HEADER.room, word)
    assert wire.parse_word(made, sent=sent) == word
    for wrong in ({"at": 0}, {"at": "now"}, {"code": "x"}, {"more": 1}):
        with pytest.raises(BadRequest):
            wire.parse_word(made | {"object": made["object"] | {"fc:said": made["object"]["fc:said"] | wrong}}, sent=sent)


def test_cases_and_referrals_speak_in_the_same_codes() -> None:
    assert grounds.REFERRAL_OUTCOME is REFERRAL_OUTCOME
    assert words.SUPPORT is SUPPORT
    assert "Unreadable" not in CHOICES, "nobody chooses what the node says by itself"
