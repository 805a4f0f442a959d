"""The clear header of a room: a code and days, and nothing else, whoever looks."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.clock import DAY
from fedcollab.features.cases.folding import fold
from fedcollab.features.cases.grounds import CASE_STATUS
from fedcollab.features.cases.header import header
from fedcollab.features.cases.record import Closed, Entry, Hold
from fedcollab.features.cases.work import Progress, Step, Task

from .entries import CONSENT, EVERYTHING, NOW, OPENED, P, arrived, entries, look, uri

DAYS = ("due", "review", "retention", "consent_end")


def of(*found: Entry, **more: Any) -> dict[str, str]:
    return header(fold([arrived("opened", OPENED), *(arrived(str(at), entry) for at, entry in enumerate(found))], look(**more)))


@pytest.mark.rule("P4")
@given(st.lists(entries(), max_size=15))
def test_nothing_but_a_code_and_days_is_in_the_clear_header_whoever_looks(found: list[Entry]) -> None:
    came = [arrived("opened", OPENED), *(arrived(str(at), entry) for at, entry in enumerate(found))]
    said = header(fold(came, look()))
    assert said == header(fold(came, look(*EVERYTHING)))
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
    assert set(header(fold([], look())).values()) == {""}


@pytest.mark.rule("P21")
def test_a_hold_of_anything_lengthens_retention_and_the_end_of_the_case_sets_it() -> None:
    closed = Closed(at=NOW, status="Closed", outcome="She is home.", retention="2026-10-30")
    assert of(closed)["retention"] == "2026-10-30"
    hold = Hold(at=NOW, of=(uri("0"),), by="Sokha Prak", reason="The court asked.", review="2026-12-01")
    assert of(closed, hold)["retention"] == "2026-12-01"
    assert of(closed, hold, now=NOW + 100 * DAY)["retention"] == "2026-10-30"
    assert of(hold)["retention"] == "2028-12-01"
