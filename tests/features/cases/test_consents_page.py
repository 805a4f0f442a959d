"""Consents in a case: what ends soon is said ahead, a renewal takes one step and carries on, a withdrawal says first what stops."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.clock import DAY, iso
from fedcollab.features.cases import lateness
from fedcollab.features.cases.arriving import Look
from fedcollab.features.cases.folding import fold
from fedcollab.features.cases.memory import MEMORY
from fedcollab.features.cases.people import Health, Identity, Person
from fedcollab.features.cases.sharing import Consent, Share, Withdrawn
from fedcollab.sealing import consent_marks, consents
from tests.nodes import until

from .at_desk import Desk, desk_with_people
from .desks import Office, office
from .entries import CONSENT, NOW, OPENED, A, B, P, S, arrived, uri, words
from .shared import Shared, shared
from .writing import write

SPOKEN: dict[str, Any] = dict(how="Spoken", capacity="Adult", decided_by="Self", what="Her name")


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as made:
        yield made


@pytest.fixture
async def desk(at: Office) -> Desk:
    return await desk_with_people(at)


def hows(*entries: Any, now: int = NOW) -> dict[str, str]:
    came = [arrived("opened", OPENED), *(arrived(name, entry, at=entry.at) for name, entry in entries)]
    return {one.item.id: one.how for one in fold(came, Look(now, frozenset({A}))).consents}


@given(st.permutations(["c1", "c2", "c3"]), st.sampled_from(["c1", "c2", "c3", ""]))
def test_a_chain_of_renewals_is_withdrawn_as_a_whole_whatever_of_it_is_named_and_whatever_came_first(order: list[str], of: str) -> None:
    chain = {
        "c1": replace(CONSENT, at=NOW + 1, until="2026-10-01"),
        "c2": replace(CONSENT, at=NOW + 2, until="2026-11-01", renews=uri("c1")),
        "c3": replace(CONSENT, at=NOW + 3, until="2026-12-01", renews=uri("c2")),
    }
    said = [(name, chain[name]) for name in order] + ([("w", Withdrawn(at=NOW + 4, of=uri(of)))] if of else [])
    expected = {uri(name): "withdrawn" if of else "given" if name == "c3" else "renewed" for name in chain}
    assert hows(*said, now=NOW + 10) == expected


def test_a_renewal_is_for_the_same_person_and_recipient_or_stands_alone() -> None:
    first = replace(CONSENT, at=NOW + 1)
    for other in (replace(first, person=S), replace(first, to="", to_name="A clinic")):
        said = ("c1", first), ("c2", replace(other, at=NOW + 2, renews=uri("c1"))), ("w", Withdrawn(at=NOW + 3, of=uri("c2")))
        assert hows(*said, now=NOW + 10) == {uri("c1"): "given", uri("c2"): "withdrawn"}
    circle = ("c1", replace(first, renews=uri("c2"))), ("c2", replace(first, at=NOW + 2, renews=uri("c1")))
    assert hows(*circle, now=NOW + 10) == {uri("c1"): "renewed", uri("c2"): "given"}


def test_what_was_shared_on_a_consent_stands_on_its_renewal() -> None:
    share = Share(at=NOW + 2, to=B, what="x", why="y", basis="VitalInterests", consent=(uri("c1"),), out_of="KH", into="KH")
    said = [("c1", replace(CONSENT, at=NOW + 1, until="2026-09-30")), ("s", share)]
    later = NOW + 60 * DAY

    def stands(*more: Any) -> bool:
        came = [arrived("opened", OPENED), *(arrived(name, entry, at=entry.at) for name, entry in (*said, *more))]
        return fold(came, Look(later, frozenset({A}))).shares[0].standing

    assert not stands()
    assert stands(("c2", replace(CONSENT, at=NOW + 3, until="2027-01-01", renews=uri("c1"))))


async def test_a_consent_that_ends_within_two_weeks_is_named_ahead_in_lists_and_renewed_in_one_step(desk: Desk) -> None:
    soon, later = iso(desk.now + 10 * DAY)[:10], iso(desk.now + 200 * DAY)[:10]
    far = Consent(at=desk.now, to_name="A clinic", person=P, until=later, **SPOKEN)
    await desk.office.say("noor", desk.id, far)
    home, cases = await desk.page("/"), await desk.page("/cases")
    assert ("a consent ends within 14 days" in home, "A consent ends on" in cases) == (False, False)
    consent = await desk.office.say("noor", desk.id, replace(far, until=soon, what="CANARY-WHAT"))
    home, cases, page = await desk.page("/"), await desk.page("/cases"), await desk.page(f"{desk.path}/consents")
    assert ("a consent ends within 14 days" in home, "A consent ends on" in cases) == (True, True)
    assert not [word for word in ("CANARY-WHAT", P, "A clinic") if word in home + cases], "a reminder without content"
    assert "Ends on" in page
    path = desk.act("renew", consent)
    status, _, page = await write(desk.noor, path, until=soon, how="Spoken")
    assert (status, "Choose a later day" in page) == (422, True)
    assert (await write(desk.noor, path, until=later, how="Spoken"))[:2] == (303, f"{desk.path}/consents")
    made = (await desk.last("consent")).entry
    assert (made.renews, made.what, made.person, made.until) == (consent, "CANARY-WHAT", P, later)
    assert "A consent ends on" not in await desk.page("/cases")
    assert (await desk.noor.get(path))[0] == 410, "it is renewed already"
    page = await desk.page(desk.act("entry", consent))
    assert "Renewed by a later one" in page
    assert await desk.office.site.kernel.database.read(lateness.consents_end, desk.office.site.kernel.node, desk.noor.viewer) is None


async def test_whoever_withdraws_sees_first_which_other_consents_stay(desk: Desk) -> None:
    later = iso(desk.now + 200 * DAY)[:10]
    first = await desk.office.say("noor", desk.id, Consent(at=desk.now, to_name="A clinic", person=P, until=later, **SPOKEN))
    await desk.office.say("noor", desk.id, Consent(at=desk.now, to_name="A clinic", person=P, until=later, **SPOKEN | {"what": "Her plan"}))
    page = await desk.page(desk.act("withdraw", first))
    assert ("This person has other consents for the same recipient." in page, "Her plan" in page) == (True, True)
    assert "Nothing of it went through this program" in await desk.page(desk.act("entry", first))


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[Shared]:
    async with shared(tmp_path) as made:
        yield made


@pytest.mark.rule("P3", "P12")
async def test_two_people_agree_one_takes_it_back_and_only_what_is_theirs_stops_at_the_other_organisation(both: Shared) -> None:
    one, other, now = both.one, both.other, both.one.site.kernel.node.now()
    for code, word in ((P, "HERS"), (S, "HIS")):
        await one.say("noor", both.case, Person(at=now, person=code, role="PotentialVictim"))
        await one.say("noor", both.case, Identity(at=now, person=code, name=f"NAME-{word}"))
        await one.say("noor", both.case, Health(at=now, person=code, urgent=f"HEALTH-{word}"))
    given = {"until": "2199-01-31", "parts": ("identity",)} | SPOKEN
    hers, his = [await one.say("noor", both.case, Consent(at=now, to=other.me, person=code, **given)) for code in (P, S)]
    about: dict[str, Any] = dict(people=(P, S), parts=("identity",), consent=(hers, his), out_of="KH", into="KH")
    await one.say("noor", both.case, Share(at=now, to=other.me, what="Names", why="Papers", basis="VitalInterests", **about))
    both_known = "SELECT 1 FROM consent_mark WHERE uri = :one"
    for uri_of in (hers, his):
        await until("it is known there", lambda: other.sql(both_known, one=uri_of))  # noqa: B023
    later = await one.say("noor", both.case, Identity(at=now, person=P, name="LATER-HERS"))
    query = "SELECT 1 FROM sealed_message WHERE uri = :u"
    await until("it is there", lambda: other.sql(query, u=later))
    page = (await one["noor"].get(f"/cases/{both.case}/consents"))[1]
    desk, kept_there = Desk(one, both.case), other.site.runner.app[MEMORY]
    await other["noor"].get(f"/cases/{both.there}")
    assert "NAME-HERS" in set(words([kept for kept, _ in kept_there.places.values()]))
    page = await desk.page(desk.act("withdraw", hers))
    assert ("What stops" in page, "2 entries of ours stop being shown there" in page) == (True, True)
    assert (await write(one["noor"], desk.act("withdraw", hers), how="Spoken"))[0] == 303
    await until("it has ended there", lambda: other.sql("SELECT 1 FROM consent_mark WHERE state = 'withdrawn'"))
    await kept_there.look(other.site.kernel)
    assert "NAME-HERS" not in set(words([kept for kept, _ in kept_there.places.values()]))
    there = await other.desk("noor", both.there)
    said = {getattr(shown.entry, "name", "") for shown in there.case.timeline if shown.kind == "identity"}
    assert said == {"NAME-HIS"}
    assert "The consent that it was given on has ended." in (await other["noor"].get(f"/cases/{both.there}"))[1]
    assert "NAME-HIS" in set(words([kept for kept, _ in kept_there.places.values()]))
    assert "NAME-HERS" not in set(words([kept for kept, _ in kept_there.places.values()]))
    assert {getattr(shown.entry, "urgent", "") for shown in there.case.timeline if shown.kind == "health"} == {"HEALTH-HERS", "HEALTH-HIS"}
    after = await one.say("noor", both.case, Identity(at=now, person=P, name="AFTER-HERS"))
    last = await one.say("noor", both.case, Identity(at=now, person=S, name="AFTER-HIS"))
    await until("his is there", lambda: other.sql(query, u=last))
    assert not await other.sql(query, u=after), "hers goes there no more"
    [mark] = (await one.site.kernel.database.read(consent_marks.of_entries, [hers]))[hers]

    async def confirmed() -> bool:
        return "that nothing of it is shown." in await desk.page(desk.act("entry", hers))

    await until("the page says so", confirmed)
    assert mark.name == "Kivuli Support"


@pytest.mark.rule("P3")
async def test_a_consent_that_names_as_much_as_it_can_says_what_to_do_and_is_withdrawn_all_the_same(
    both: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other, now = both.one, both.other, both.one.site.kernel.node.now()
    await one.say("noor", both.case, Person(at=now, person=P, role="PotentialVictim"))
    hers = await one.say("noor", both.case, Consent(at=now, to=other.me, person=P, until="2199-01-31", **SPOKEN))
    about: dict[str, Any] = dict(people=(P,), consent=(hers,), out_of="KH", into="KH")
    await one.say("noor", both.case, Share(at=now, to=other.me, what="All", why="Papers", basis="VitalInterests", **about))
    [[number]] = await one.sql("SELECT count(*) FROM consent_thing")
    monkeypatch.setattr(consents, "MOST_NAMED", number)
    desk = Desk(one, both.case)
    status, _, page = await write(one["noor"], desk.new("health", P), urgent="CANARY-URGENT")
    assert (status, "Note a new consent of the person" in page, "CANARY-URGENT" in page) == (422, True, True)
    assert (await write(one["noor"], desk.act("withdraw", hers), how="Spoken"))[0] == 303
    assert await one.sql("SELECT state FROM consent_mark WHERE ours") == [("withdrawn",)]
