"""What is seldom needed in a form is folded, opens where something in it was typed or is wrong, and is sent all the same; the ground for
going abroad is asked for only across a border, and countries are typed once."""

import re

import pytest

from fedcollab.base.i18n import Words
from fedcollab.features.cases import borders
from tests.features.cases.at_desk import Desk
from tests.features.cases.test_entry_pages import FORMS, P, at, desk, write

__all__ = ["at", "desk"]
WORDS = Words("en", "UTC")
ABROAD = re.compile(r"<details( open)?><summary>It goes to another country</summary>")


def is_open(page: str) -> bool:
    found = ABROAD.search(page)
    assert found is not None
    return bool(found[1])


@pytest.mark.rule("P25")
async def test_the_ground_for_going_abroad_opens_only_where_it_goes_there(desk: Desk) -> None:
    path = desk.new("share")
    assert not is_open(await desk.page(path))
    status, _, page = await write(desk.noor, desk.new("share"), **FORMS["share"][1] | {"into": "Thailand"})
    assert (status, is_open(page)) == (422, True)
    assert page.index('id="transfer-err"') > page.index("It goes to another country")
    assert (await write(desk.noor, desk.new("share"), **FORMS["share"][1]))[0] == 303, "within one country nobody chooses a ground"


async def test_the_countries_of_the_last_share_stand_in_the_next_one_and_its_ground_with_the_same_recipient(desk: Desk) -> None:
    opened = await desk.office.desk("noor", desk.id)
    assert borders.begin(opened, "https://else.example/", {}, WORDS) == {}
    form = FORMS["share"][1] | {"to_name": "", "to": opened.look.person, "into": "Thailand", "transfer": "VitalInterests"}
    assert (await write(desk.noor, desk.new("share"), **form))[0] == 303
    opened = await desk.office.desk("noor", desk.id)
    last = opened.case.shares[-1].entry
    assert last is not None
    assert borders.begin(opened, last.to, {}, WORDS) == {"out_of": ["Cambodia"], "into": ["Thailand"], "transfer": ["VitalInterests"]}
    assert borders.begin(opened, "https://else.example/", {}, WORDS) == {"out_of": ["Cambodia"]}
    assert borders.begin(opened, last.to, {"into": ["Kenya"]}, WORDS) == {}, "what somebody typed stands"
    assert 'value="Cambodia"' in await desk.page(desk.new("share"))


async def test_a_folded_field_with_something_in_it_stands_open(desk: Desk) -> None:
    more = re.compile(r"<details( open)?><summary>More, where the work needs it</summary>")
    found = more.search(await desk.page(desk.new("identity", P)))
    assert found is not None
    assert not found[1]
    status, _, page = await write(desk.noor, desk.new("identity", P), name="Srey", birth="Nowhereland")
    found = more.search(page)
    assert found is not None
    assert (status, bool(found[1])) == (422, True)
