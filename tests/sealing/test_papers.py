"""Papers: the recovery code, and any two of three sheets."""

from itertools import permutations

import pytest

from fedcollab.base.errors import Refused
from fedcollab.sealing import boxes, codes, papers
from fedcollab.sealing.locked import lock
from fedcollab.sealing.shut import Shut

from .envelopes import spoilt

RECOVERY, SHEETS = boxes.generate(), papers.make_sheets()
KID = RECOVERY.public.kid
BOXES = papers.box_under_sheets(RECOVERY, SHEETS)


@pytest.mark.parametrize("two", list(permutations(range(3), 2)))
def test_any_two_sheets_open_in_either_order_as_they_are_typed(two: tuple[int, int]) -> None:
    one, other = (papers.read_sheet(" ".join(SHEETS[at].printed()).lower()) for at in two)
    assert papers.open_with_sheets(BOXES, KID, one, other).raw == RECOVERY.raw


def test_one_sheet_twice_is_told_and_opens_nothing() -> None:
    with pytest.raises(Refused, match="same sheet twice"):
        papers.open_with_sheets(BOXES, KID, SHEETS[0], SHEETS[0])


def test_sheets_of_another_set_and_boxes_of_another_key_stay_shut() -> None:
    older = papers.make_sheets()
    other = boxes.generate()
    for held, kid, one, two in [
        (BOXES, KID, SHEETS[0], older[1]),
        (BOXES, KID, *older[:2]),
        (BOXES, other.public.kid, *SHEETS[:2]),
        (papers.box_under_sheets(other, SHEETS), KID, *SHEETS[:2]),
        ({"12": BOXES["13"]}, KID, *SHEETS[:2]),
        ({}, KID, *SHEETS[:2]),
    ]:
        with pytest.raises(Shut):
            papers.open_with_sheets(held, kid, one, two)


def test_another_key_in_the_place_of_the_recovery_key_is_noticed() -> None:
    other = lock(papers._key(SHEETS[0], SHEETS[1], KID), boxes.generate().to_bytes(), KID)
    assert papers.open_with_sheets(BOXES, KID, *SHEETS[:2]).public.kid == KID
    with pytest.raises(Shut):
        papers.open_with_sheets(BOXES | {"12": other}, KID, *SHEETS[:2])


def test_a_box_under_sheets_with_any_byte_changed_stays_shut() -> None:
    for other in spoilt(BOXES["23"]):
        with pytest.raises(Shut):
            papers.open_with_sheets(BOXES | {"23": other}, KID, SHEETS[1], SHEETS[2])


def test_a_sheet_knows_its_number_and_shows_its_bits_nowhere() -> None:
    assert [papers.read_sheet("-".join(sheet.printed())).number for sheet in SHEETS] == [1, 2, 3]
    assert repr(SHEETS[1]) == "Sheet(number=2)"


def test_a_slip_on_a_sheet_is_named_whichever_sheet_it_is() -> None:
    for sheet in SHEETS:
        groups = sheet.printed()
        groups[4] = groups[4][:3] + ("7" if groups[4][3] != "7" else "8")
        with pytest.raises(Refused) as caught:
            papers.read_sheet(" ".join(groups))
        assert "group 5" in caught.value.in_words()


def test_a_recovery_code_comes_back_and_is_no_sheet() -> None:
    code = codes.make()
    typed = " ".join(papers.print_code(code))
    assert papers.read_code(typed.lower()) == code
    assert papers.code_key(code) == papers.code_key(papers.read_code(typed)) != code
    with pytest.raises(Refused):
        papers.read_sheet(typed)
    with pytest.raises(Refused):
        papers.read_code(" ".join(SHEETS[0].printed()))
