"""The clear header of a room: a code and days, and nothing else, whoever looks."""

import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.clock import DAY, iso
from fedcollab.features.cases.folding import fold
from fedcollab.features.cases.grounds import CASE_STATUS
from fedcollab.features.cases.header import header
from fedcollab.features.cases.record import LONGEST_HOLD, Closed, Entry, Hold
from fedcollab.features.cases.work import Progress, Step, Task

from .entries import CONSENT, EVERYTHING, NOW, OPENED, A, B, P, arrived, entries, look, uri

DAYS = ("due", "review", "retention", "consent_end")


def of(*found: Entry, **more: Any) -> dict[str, str]:
    return header(fold([arrived("opened", OPENED), *(arrived(str(at), entry) for at, entry in enumerate(found))], look(**more)), {A})


@pytest.mark.rule("P4")
@given(st.lists(entries(), max_size=15))
def test_nothing_but_a_code_and_days_is_in_the_clear_header_whoever_looks(found: list[Entry]) -> None:
    came = [arrived("opened", OPENED), *(arrived(str(at), entry) for at, entry in enumerate(found))]
    said = header(fold(came, look()), {A})
    assert said == header(fold(came, look(*EVERYTHING)), {A})
    assert list(said) == ["status", *DAYS]
    assert said["status"] in CASE_STATUS
    assert all(re.fullmatch(r"(\d{4}-\d{2}-\d{2})?", said[name]) for name in DAYS)


def test_the_next_of_each_day_is_told() -> None:
    said = of(
        Task(at=NOW, what="Call", due="2026-10-05"),
        Task(at=NOW, what="Done already", due="2026-10-01"),
        Progress(at=NOW, of=uri("1"), state="Done"),
        Step(at=NOW, person=P, support="Legal", what="First talk", due="2026-10-03"),
        CONSENT,
        replace(CONSENT, until="2026-12-24"),
    )
    assert said == {
        "status": "Active",
        "due": "2026-10-03",
        "review": "2026-12-01",
        "retention": "2028-12-01",
        "consent_end": "2026-12-24",
    }


def test_a_case_that_is_not_there_yet_has_an_empty_header() -> None:
    assert set(header(fold([], look()), {A}).values()) == {""}


@pytest.mark.rule("P21")
def test_a_hold_of_anything_lengthens_retention_and_the_end_of_the_case_sets_it() -> None:
    closed = Closed(at=NOW, status="Closed", outcome="She is home.", retention="2026-10-30")
    assert of(closed)["retention"] == "2026-10-30"
    hold = Hold(at=NOW, of=(uri("0"),), by="Sokha Prak", reason="The court asked.", review="2026-12-01")
    assert of(closed, hold)["retention"] == "2026-12-01"
    assert of(closed, hold, now=NOW + 100 * DAY)["retention"] == "2026-10-30"
    assert of(hold)["retention"] == "2028-12-01"


@pytest.mark.rule("P10", "P21")
@given(st.lists(st.tuples(st.sampled_from([A, B]), st.dates(date(2026, 9, 25), date(2040, 1, 1)), st.integers(0, 3000)), max_size=6))
def test_holds_of_others_renewed_for_ever_keep_a_case_ninety_days_beyond_its_time_and_ours_as_long_as_they_say(
    said: list[tuple[str, date, int]],
) -> None:
    now = NOW + 800 * DAY  # its retention of 1 December 2028 is 24 days away
    holds = [
        arrived(f"h{at}", Hold(at=NOW + days * DAY, by="Sokha Prak", reason="The court asked.", review=day.isoformat()), who)
        for at, (who, day, days) in enumerate(said)
    ]
    case = fold([arrived("opened", OPENED), *holds], look(now=now))
    days = header(case, {A})["retention"]
    ours = [min(hold.entry.review, iso(hold.at + LONGEST_HOLD)[:10]) for hold in case.holds if hold.organisation == A]  # type: ignore[union-attr]
    assert "2028-12-01" <= days <= max([*ours, "2029-03-01"])
    assert days >= max(ours, default="")
    theirs = header(fold([arrived("opened", OPENED), *(one for one in holds if one.organisation == B)], look(now=now)), {A})
    assert "2028-12-01" <= theirs["retention"] <= "2029-03-01"
