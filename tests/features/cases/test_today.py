"""The first page of a case says what matters now: what is new since one looked last, how people are reached, what is to be done, and how to
refer somebody."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fedcollab.access.models import AMBER, RED, STRICT
from fedcollab.base.clock import HOUR
from fedcollab.features.cases import adding, codes
from fedcollab.features.cases.people import Person, SafeContact
from fedcollab.features.cases.record import Closed
from fedcollab.features.cases.work import Contact, Task
from fedcollab.sealing import holding
from tests.features.cases.desks import Office, office

WHO = "bafuko-tezara"


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as made:
        yield made


def pass_time(at: Office) -> None:
    """Two hours later."""
    node, before = at.site.kernel.node, at.site.kernel.node.clock
    object.__setattr__(node, "clock", lambda: before() + 2 * HOUR)


async def test_what_others_wrote_since_the_last_sitting_is_marked_new_through_the_whole_sitting(at: Office) -> None:
    case, noor = await at.case("noor"), at["noor"]
    await at.unlocked("noor", holding.assign, case, at["daan"].viewer.person_id)
    await at.say("daan", case, "Before she ever looked.")
    first = (await noor.get(f"/cases/{case}"))[1]
    assert ("since you looked last" in first, ">New<" in first) == (False, False), "who was never here is not told that all is new"
    pass_time(at)
    await at.say("daan", case, "The clinic has called.")
    await at.say("noor", case, "Mine is no news to me.")
    for _ in range(2):
        page = (await noor.get(f"/cases/{case}"))[1]
        assert "1 entry is new since you looked last" in page
        assert page.count(">New<") == 1
    pass_time(at)
    assert "Nothing of others is new since you looked last" in (await noor.get(f"/cases/{case}"))[1]


async def test_how_each_person_is_reached_stands_on_the_first_page_without_number_or_word(at: Office) -> None:
    case, now = await at.case("noor"), at.site.kernel.node.now()
    assert "Nobody is in this case yet" in (await at["noor"].get(f"/cases/{case}"))[1]
    await at.say("noor", case, Person(at=now, person=WHO, role="PotentialVictim"))
    page = (await at["noor"].get(f"/cases/{case}"))[1]
    assert ("No rules for contact yet" in page, "Write down how they can be reached safely" in page) == (True, True)
    said = dict(methods=("Phone",), never="No voice mail", times="Tuesdays", address="CANARY-NUMBER", word="CANARY-WORD")
    await at.say("noor", case, SafeContact(at=now, person=WHO, **said))
    await at.say("noor", case, Contact(at=now, who=WHO, people=(WHO,), how="Phone", on="2026-11-20", reached="Reached"))
    await at.say("noor", case, Task(at=now, what="Call the clinic", due="2026-01-01"))
    page = (await at["noor"].get(f"/cases/{case}"))[1].split('id="now"')[1].split("</section>")[0]
    assert all(words in page for words in ("No voice mail", "Tuesdays", "Last contact on 20 Nov 2026", "Call the clinic", "Overdue since"))
    assert "CANARY" not in page


@pytest.mark.rule("P6", "P7")
@pytest.mark.parametrize(("label", "offered"), [(AMBER, True), (STRICT, False), (RED, False)])
async def test_referring_is_offered_on_the_first_page_where_the_label_lets_it(at: Office, label: str, offered: bool) -> None:
    case, now = await at.case("noor", label), at.site.kernel.node.now()
    link = f'href="/cases/{case}/refer"'
    assert link not in (await at["noor"].get(f"/cases/{case}"))[1], "nobody is in it"
    await at.say("noor", case, Person(at=now, person=WHO, role="PotentialVictim"))
    page = (await at["noor"].get(f"/cases/{case}"))[1]
    assert (link in page) == offered
    assert (link in (await at["noor"].get(f"/cases/{case}/new"))[1]) == offered


async def test_every_way_on_the_page_of_what_can_be_added_leads_to_a_page(at: Office) -> None:
    case = await at.case("noor")
    desk = await at.desk("noor", case)
    for group in adding.ways(desk):
        for way in group.ways:
            if way is not adding.REFER:  # flows/, which this office has not
                assert (await at["noor"].get(f"/cases/{case}{way.path.split('#')[0]}"))[0] == 200, way.path
    assert (await at["daan"].get(f"/cases/{case}/new"))[0] == 404


async def test_who_and_what_does_not_fit_on_the_first_page_is_counted_there_and_whom_nobody_contacts_comes_first(at: Office) -> None:
    case, now = await at.case("noor"), at.site.kernel.node.now()
    people = [codes.fresh() for _ in range(7)]
    for code in people:
        await at.say("noor", case, Person(at=now, person=code, role="PotentialVictim"))
    await at.say("noor", case, SafeContact(at=now, person=people[-1], nobody=True))
    for number in range(5):
        await at.say("noor", case, Task(at=now, what=f"Call {number}"))
    page = (await at["noor"].get(f"/cases/{case}"))[1].split('id="now"')[1].split("</section>")[0]
    assert ("2 more to be done" in page, "2 more people, and how they are reached" in page) == (True, True)
    assert [code for code in people if code in page] == [*people[:4], people[-1]]


async def test_closing_is_offered_until_the_case_is_closed(at: Office) -> None:
    case, now = await at.case("noor"), at.site.kernel.node.now()
    path = f"/cases/{case}/new"
    assert f'href="{path}/closed"' in (await at["noor"].get(path))[1]
    await at.say("noor", case, Closed(at=now, status="Closed", outcome="She is safe.", retention="2199-01-31"))
    page = (await at["noor"].get(path))[1]
    assert (f'href="{path}/closed"' in page, f'href="{path}/status"' in page) == (False, True)
