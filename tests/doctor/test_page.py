"""The page of faults has every code of the doctor, in its order, and no other; each says what it means and stands where links lead."""

import re

import pytest

from fedcollab.doctor.checks import CODES
from fedcollab.doctor.report import PAGE
from tests.documents import ROOT, anchor, sections, text_of

TEXT = text_of(ROOT / PAGE)


def test_every_code_is_explained_in_its_order_and_none_is_invented() -> None:
    assert re.findall(r"^### (.+)$", TEXT, re.MULTILINE) == [f"`{code}`" for code in CODES]


@pytest.mark.parametrize("code", CODES)
def test_each_code_has_its_meaning_at_its_own_anchor(code: str) -> None:
    words = sections(TEXT, 3)[f"`{code}`"].split()
    assert len(words) > 12
    assert anchor(f"`{code}`") == code


def test_no_code_is_named_on_the_page_that_is_none() -> None:
    assert set(re.findall(r"\]\(#([a-z-]+)\)", TEXT)) <= set(CODES)
