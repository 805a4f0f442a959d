"""Entries of one case on the pages of two organisations: whose words each may change, hide and erase, and what two write at once."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.base.clock import DAY
from fedcollab.features.cases import needs
from fedcollab.features.cases.handles import handle
from fedcollab.features.cases.people import Identity, Person
from fedcollab.features.cases.work import Task
from tests.nodes import until

from .desks import Office
from .entries import P
from .shared import Shared, shared
from .writing import IN_SPRING, opened, send, write


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[Shared]:
    async with shared(tmp_path) as made:
        yield made


async def arrived(at: Office, case_id: str, kind: str, number: int = 1) -> str:
    """The id of the last entry of a kind that stands at one of them, once there are so many."""

    async def there() -> list[str]:
        return [one.id for one in (await at.desk("noor", case_id)).case.timeline if one.kind == kind]

    async def enough() -> list[str]:
        found = await there()
        return found if len(found) >= number else []

    found: list[str] = await until(f"the {kind} is there", enough)
    return found[-1]


def act(case_id: str, name: str, entry_id: str) -> str:
    return f"/cases/{case_id}/{name}/{handle(case_id, entry_id)}"


async def test_another_organisations_words_are_theirs_to_correct_and_remove_and_the_leaders_to_hide(both: Shared) -> None:
    one, other = both.one, both.other
    said = await other.say("noor", both.there, "Their words, of CANARY.")
    await arrived(one, both.case, "message")
    page = (await one["noor"].get(act(both.case, "entry", said)))[1]
    assert [text in page for text in ("Correct or change it", "Remove it for good", "Hide it from everybody")] == [False, False, True]
    for name in ("change", "redact"):
        assert (await one["noor"].get(act(both.case, name, said)))[0] == 410
    ours = await one.say("noor", both.case, "Our words.")
    await arrived(other, both.there, "message", 2)
    for name in ("change", "mask", "redact"):
        assert (await other["noor"].get(act(both.there, name, ours)))[0] == 410
    assert (await write(one["noor"], act(both.case, "mask", said), why="Names somebody"))[0] == 303
    masking = await arrived(other, both.there, "masking")
    assert "CANARY" not in (await other["noor"].get(f"/cases/{both.there}"))[1]
    assert (await other["noor"].get(act(both.there, "unmask", said)))[0] == 410, "who leads has hidden it"
    assert masking
    task = await one.say("noor", both.case, Task(at=one.site.kernel.node.now(), what="Buy a ticket"))
    await arrived(other, both.there, "task")
    assert (await write(other["noor"], act(both.there, "change", task), what="Buy two tickets"))[0] == 303
    await arrived(one, both.case, "correction")
    assert "Buy two tickets" in (await one["noor"].get(f"/cases/{both.case}"))[1]


@pytest.mark.rule("P29")
@pytest.mark.rule("P21")
async def test_erasing_anothers_words_waits_for_seven_days_in_which_they_may_hold_them_and_say_why(both: Shared) -> None:
    one, other = both.one, both.other
    said = await one.say("noor", both.case, "Our words, of CANARY.")
    kept = await one.say("noor", both.case, "A receipt, of SPARROW.")
    await arrived(other, both.there, "message", 2)
    for entry in (said, kept):
        page = (await other["noor"].get(act(both.there, "erase", entry)))[1]
        assert "another organisation, which has seven days to hold it back" in page
        assert (await write(other["noor"], act(both.there, "erase", entry), why="They asked for it"))[0] == 303
    await arrived(one, both.case, "erased", 2)
    assert "Somebody asked for its erasure." in (await one["noor"].get(act(both.case, "entry", kept)))[1]
    hold: dict[str, Any] = {"by": "Judge De Vries", "reason": "Labour court", "review": IN_SPRING}
    assert (await write(one["noor"], f"/cases/{both.case}/new/hold?of={handle(both.case, kept)}", **hold))[0] == 303
    await arrived(other, both.there, "hold")
    assert "Judge De Vries" in (await other["noor"].get(f"/cases/{both.there}/holds"))[1], "whoever asked sees who holds it"
    assert (await other["noor"].get(act(both.there, "lift", await arrived(other, both.there, "hold"))))[0] == 410
    for at in (one, other):
        later(at, 8 * DAY)
    found = {shown.id: shown for shown in (await one.desk("noor", both.case)).case.timeline}
    assert [(found[of].state, found[of].held) for of in (said, kept)] == [("erased", False), ("there", True)]
    rows = await one.sql("SELECT uri FROM sealed_message WHERE state = 'erased'")
    assert [row[0] for row in rows] == [said], "destroyed at whose they were, which tells the others"


async def change(at: Office, query: str, **values: Any) -> None:
    await at.site.kernel.database.write(lambda session: session.execute(sa.text(query), values) and None)


def later(at: Office, ahead: int) -> None:
    clock = at.site.kernel.node.clock
    object.__setattr__(at.site.kernel.node, "clock", lambda: clock() + ahead)


async def test_what_two_organisations_write_of_a_person_at_once_is_shown_at_both(both: Shared) -> None:
    one, other = both.one, both.other
    now = one.site.kernel.node.now()
    for at, case_id in ((one, both.case), (other, both.there)):
        await at.do("noor", needs.begin, case_id, [at["noor"].viewer.person_id])
    await one.say("noor", both.case, Person(at=now, person=P, role="PotentialVictim"))
    await one.say("noor", both.case, Identity(at=now, person=P, name="First"))
    await arrived(other, both.there, "identity")
    paths = [f"/cases/{case_id}/new/identity?person={handle(case_id, P)}" for case_id in (both.case, both.there)]
    forms = [await opened(at["noor"], path) for at, path in zip((one, other), paths, strict=True)]
    assert [form["name"] for form in forms] == [["First"], ["First"]]
    for at, path, form, name in zip((one, other), paths, forms, ("Sok Srey", "Srey Sok"), strict=True):
        assert (await send(at["noor"], path, form, name=name))[0] == 303
    for at, case_id in ((one, both.case), (other, both.there)):
        await arrived(at, case_id, "identity", 3)
        page = (await at["noor"].get(f"/cases/{case_id}/people/{handle(case_id, P)}"))[1]
        assert [name in page for name in ("Sok Srey", "Srey Sok", "First", "at the same time")] == [True, True, False, True]
    assert (await write(other["noor"], paths[1], name="Srey Sok, called Srey"))[0] == 303
    await arrived(one, both.case, "identity", 4)
    page = (await one["noor"].get(f"/cases/{both.case}/people/{handle(both.case, P)}"))[1]
    assert [name in page for name in ("Srey Sok, called Srey", "at the same time")] == [True, False]


async def test_who_does_not_lead_sets_neither_terms_nor_status(both: Shared) -> None:
    for kind in ("terms", "status", "closed"):
        assert (await both.other["noor"].get(f"/cases/{both.there}/new/{kind}"))[0] == 403
        assert (await both.one["noor"].get(f"/cases/{both.case}/new/{kind}"))[0] == 200
    token = await both.other["noor"].token(f"/cases/{both.there}/new/message")
    form: Any = {"token": token, "status": "Closed", "outcome": "All is well", "retention": "2031-01-01"}
    status, _, page = await both.other["noor"].ask("POST", f"/cases/{both.there}/new/closed", form)
    assert (status, "All is well" in page) == (403, True)


@pytest.mark.rule("P12")
async def test_whoever_had_what_was_erased_is_shown_until_they_have_confirmed_it(both: Shared) -> None:
    one, other = both.one, both.other
    said = await one.say("noor", both.case, "Our words, of CANARY.")
    await arrived(other, both.there, "message")
    assert (await write(one["noor"], act(both.case, "erase", said), why="She asked for it"))[0] == 303
    pages = [act(both.case, "entry", said), f"/cases/{both.case}/holds"]
    await until("it is confirmed", lambda: one.sql("SELECT 1 FROM receipt WHERE object_uri = :uri AND state = 'confirmed'", uri=said))
    for path in pages:
        assert "<bdi>Kivuli Support</bdi> has confirmed it" in (await one["noor"].get(path))[1]
    await change(one, "UPDATE receipt SET reason = 'NeverCame'")
    for path in pages:
        assert "that it had never come there, and is not taken in any more." in (await one["noor"].get(path))[1]
    await change(one, "UPDATE receipt SET state = 'sent', reason = '', answered_at = NULL, sent_at = sent_at - :day * 2", day=DAY)
    for path in pages:
        assert "has not confirmed it. If it matters, call them." in (await one["noor"].get(path))[1]
    await change(one, "UPDATE receipt SET state = 'refused', reason = 'held', answered_at = 1")
    for path in pages:
        assert "keeps it, for a hold or a ground of its own" in (await one["noor"].get(path))[1]
    assert await other.sql("SELECT state FROM sealed_message WHERE uri = :uri", uri=said) == [("erased",)]
