"""What of an open case stays in memory: what its person was shown, while their keys are unlocked and nothing of it was taken away."""

import gc
import random
import tracemalloc
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.clock import HOUR
from fedcollab.base.web import cookie_name
from fedcollab.features.cases import membership, needs
from fedcollab.features.cases import memory as memory_of_cases
from fedcollab.features.cases.arriving import Arrived
from fedcollab.features.cases.desk import look_at
from fedcollab.features.cases.folding import added, fold
from fedcollab.features.cases.kept import Kept, keep
from fedcollab.features.cases.kinds import document
from fedcollab.features.cases.memory import IDLE, MEMORY, Memory, Place
from fedcollab.features.cases.mending import Correction, Erased, Hiding, Masking, Redaction, Suspected, Unmasking
from fedcollab.features.cases.people import Health, Person
from fedcollab.features.cases.record import Entry, HoldLifted
from fedcollab.features.cases.rests import Rests
from fedcollab.features.cases.work import Contact, File, Message, Progress, Task
from fedcollab.features.members import ending, service, unlocking
from fedcollab.features.members.models import LoginSession
from fedcollab.sealing import crossing, holding, made_ready, room_content, rooms
from fedcollab.sealing.chunks import FileSecret
from fedcollab.sealing.room_models import SealedMessage
from tests.nodes import until

from .desks import Office, office
from .entries import EVERYTHING, NOW, OPENED, A, B, P, arrived, entries, filled, look, uri, words

SECRET = FileSecret(b"k" * 32, 9, b"d" * 32)
RESTS = Rests(EVERYTHING, made_ready.Rests("", frozenset(), 0, False, (), (), None, 0, 0, 0, 0, 0))
ids = st.integers(0, 9).map(lambda number: uri(str(number)))


def hiding(kind: type[Hiding]) -> st.SearchStrategy[Entry]:
    return st.builds(kind, at=st.just(NOW), of=st.tuples(ids))


said = st.one_of(
    st.builds(Message, at=st.integers(NOW - HOUR, NOW + HOUR), text=st.just("x")),
    st.builds(Contact, at=st.just(NOW), who=st.just("w"), how=st.just("Phone"), on=st.just("2026-11-20"), reached=st.just("Reached")),
    st.builds(Task, at=st.just(NOW), what=st.just("t")),
    st.builds(Progress, at=st.just(NOW), of=ids, state=st.just("Done")),
    st.builds(Correction, at=st.just(NOW), of=ids, entry=st.just(Message(at=NOW, text="better"))),
    *map(hiding, (Masking, Redaction, Erased, Suspected)),
    st.builds(Unmasking, at=st.just(NOW), of=ids),
    st.builds(HoldLifted, at=st.just(NOW), of=ids, why=st.just("w")),
    entries(),
)
whoever = st.tuples(said, st.sampled_from([A, B]), st.integers(0, 5))


@pytest.mark.rule("R13")
@given(st.lists(whoever, max_size=10), st.randoms(use_true_random=False), st.sets(st.sampled_from(sorted(EVERYTHING))))
def test_a_case_folded_on_as_entries_come_is_the_case_folded_from_all_whatever_the_order(
    found: list[Any], dice: random.Random, knows: set[str]
) -> None:
    came = [arrived(str(number), entry, by, at=NOW + at) for number, (entry, by, at) in enumerate(found)] + [arrived("opened", OPENED)]
    dice.shuffle(came)
    here, case, sees = list[Arrived](), fold([], look(*knows)), look(*knows)
    while came:
        fresh = [came.pop() for _ in range(dice.randint(1, len(came)))]
        here += fresh
        case = added(case, fresh, sees) or fold(here, sees, case.timeline)
        dice.shuffle(here)
        assert case == fold(here, sees)


def test_what_says_nothing_of_anything_else_is_added_without_a_fold() -> None:
    case = fold([arrived("opened", OPENED)], look())
    assert added(case, [arrived("m", Message(at=NOW, text="x"))], look()) is not None
    named = fold([arrived("opened", OPENED), arrived("h", Masking(at=NOW, of=(uri("m"),)))], look())
    assert added(named, [arrived("m", Message(at=NOW, text="x"))], look()) is None


def kept(*came: Arrived, knows: Iterable[str] = EVERYTHING) -> Kept:
    sees = look(*knows)
    return keep(RESTS, sees, (), frozenset(), came, fold(came, sees))


@pytest.mark.rule("P5")
@pytest.mark.parametrize("kind", [Masking, Redaction, Erased, Suspected])
def test_nothing_of_what_is_hidden_is_in_what_is_kept(kind: type[Hiding]) -> None:
    file = File(at=NOW, uri=uri("file"), name="CANARY.jpg", secret=SECRET, about="CANARY")
    came = [arrived("opened", OPENED), arrived("f", file), arrived("h", kind(at=NOW + 1, of=(uri("f"),)))]
    assert says(kept(*came[:2]))
    assert not says(kept(*came))


@pytest.mark.rule("P5")
def test_nothing_of_what_somebody_has_no_need_to_know_is_in_what_is_kept_for_them() -> None:
    came = [arrived("opened", OPENED), arrived("p", Person(at=NOW, person=P, role="Suspect", ground="Article10", law="x"))]
    came.append(arrived("h", Health(at=NOW, person=P, needs="CANARY")))
    assert says(kept(*came))
    assert not says(kept(*came, knows=()))


@pytest.mark.rule("P5")
def test_what_one_look_finds_hidden_goes_from_what_others_have_of_the_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is where a partner's word has come: nobody knows what it says before somebody opens it."""
    monkeypatch.setattr(memory_of_cases.unlocked, "is_open", lambda *_: True)
    node: Any = SimpleNamespace(now=lambda: NOW)
    session: Any = None
    came = [arrived("opened", OPENED), arrived("m", Message(at=NOW, text="CANARY"))]
    before, after = kept(*came), kept(*came, arrived("h", Masking(at=NOW, of=(uri("m"),))))
    there = Memory(lambda _session: ())
    for place in (Place("1", "daan", "case"), Place("2", "noor", "case"), Place("3", "noor", "other case")):
        there.put(session, node, before, place)
    there.put(session, node, after, Place("2", "noor", "case"))
    assert set(there.places) == {Place("2", "noor", "case"), Place("3", "noor", "other case")}
    there.most = before.weight - 1
    there.put(session, node, before, Place("4", "noor", "large"))
    assert not there.places


def says(found: Any) -> bool:
    return any("CANARY" in text for text in words(found))


def test_a_case_weighs_more_than_it_takes() -> None:
    more = [arrived("opened", OPENED)]
    fill = [Message(at=NOW, text="ش" * 500), filled(Health, person=P), Task(at=NOW, what="t"), Contact(**CONTACT)]
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        more += [arrived(str(number), replace(fill[number % len(fill)], at=NOW + number)) for number in range(400)]
        found = kept(*more)
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert taken < found.weight < 3 * taken


CONTACT: dict[str, Any] = dict(at=NOW, who="w" * 30, how="Phone", on="2026-11-20", reached="Reached", outcome="y" * 300)


@pytest_asyncio.fixture
async def at(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as made:
        yield made


def memory(at: Office) -> Memory:
    return at.site.runner.app[MEMORY]


def of(at: Office, name: str) -> list[Kept]:
    person = at[name].viewer.person_id
    return [one for place, (one, _) in memory(at).places.items() if place.person == person]


async def looks(at: Office, case: str, *who: str) -> None:
    for name in who:
        assert (await at[name].get(f"/cases/{case}"))[0] == 200
        assert of(at, name)


async def gone(at: Office, name: str) -> None:
    """At once: at the end of the unit that is under way, not when somebody looks."""
    await memory(at).look(at.site.kernel)
    assert not of(at, name)


async def both_on(at: Office) -> str:
    case = await at.case("noor")
    await at.unlocked("noor", membership.assign, case, at["daan"].viewer.person_id, ["health"])
    return case


@pytest.mark.rule("P12", "P13", "P21")
@pytest.mark.parametrize("kind", [Masking, Redaction, Erased])
async def test_what_one_hides_is_at_once_in_nobodys_memory(at: Office, kind: type[Hiding]) -> None:
    case, now = await both_on(at), at.site.kernel.node.now()
    entry = await at.say("noor", case, "CANARY")
    await looks(at, case, "noor", "daan")
    assert says(of(at, "daan"))
    await at.say("noor", case, kind(at=now, of=(entry,)))
    await gone(at, "daan")
    await looks(at, case, "noor", "daan")
    assert not says([*of(at, "noor"), *of(at, "daan")])
    assert not says((await at.desk("noor", case)).case)


@pytest.mark.rule("P5")
async def test_whoever_needs_to_know_less_keeps_nothing_of_it(at: Office) -> None:
    case, daan, now = await both_on(at), at["daan"].viewer.person_id, at.site.kernel.node.now()
    await at.say("noor", case, Person(at=now, person=P, role="PotentialVictim"))
    await at.say("noor", case, Health(at=now, person=P, needs="CANARY"))
    await looks(at, case, "daan")
    assert says(of(at, "daan"))
    await at.do("noor", needs.give, case, daan, [])
    await gone(at, "daan")
    await looks(at, case, "daan", "noor")
    assert (says(of(at, "daan")), says(of(at, "noor"))) == (False, True)


@pytest.mark.rule("P13", "P28")
async def test_nothing_is_kept_for_whoever_locks_signs_out_is_off_the_case_or_ended(at: Office) -> None:
    case, node = await both_on(at), at.site.kernel.node
    daan = at["daan"].viewer
    token = at["daan"].cookies[cookie_name(node.settings, "session")]

    async def again() -> None:
        def work(session: Any, node: Any) -> None:
            with node.ring.begin() as ring:
                unlocking.unlocked.unlock(ring, token, at.keys["daan"], node.now())

        await at.site.write(work)
        await looks(at, case, "daan", "noor")

    await again()
    await at.site.write(unlocking.lock, token)
    await gone(at, "daan")
    assert (await at["daan"].get(f"/cases/{case}"))[0] != 200
    await again()
    await at.do("noor", membership.unassign, case, daan.person_id)
    await gone(at, "daan")
    await at.unlocked("noor", membership.assign, case, daan.person_id, ["health"])
    await again()
    await at.site.write(crossing.lock, daan)
    await gone(at, "daan")
    await at.site.write(lambda session, _node: session.execute(sa.delete(crossing.AccessLock)) and None)
    await again()
    await at.site.write(ending.end, LoginSession, LoginSession.person_id == at["noor"].viewer.person_id)
    await gone(at, "noor")
    assert of(at, "daan")
    await at.site.write(service.disable, at["mila"].viewer, daan.person_id)
    await gone(at, "daan")


@pytest.mark.rule("P13")
async def test_with_a_cases_keys_goes_what_is_kept_of_it(at: Office) -> None:
    case = await both_on(at)
    await looks(at, case, "daan", "noor")
    await at.site.write(lambda session, node: rooms.purge(session, node, rooms.by_id(session, case).uri))
    await gone(at, "daan")
    await gone(at, "noor")


async def test_a_commit_that_takes_something_away_is_heard_without_anybody_asking(at: Office) -> None:
    case = await both_on(at)
    await looks(at, case, "daan")
    await at.do("noor", needs.give, case, at["daan"].viewer.person_id, [])

    async def heard() -> bool:
        return not of(at, "daan")

    await until("it is gone", heard)


async def test_an_entry_that_comes_before_the_last_one_is_shown_in_its_place(at: Office) -> None:
    """A clock went back: its row stands before those that were there."""
    case, noor = await at.case("noor"), at["noor"]
    await at.say("noor", case, "First")
    await looks(at, case, "noor")
    late = await at.say("noor", case, "LATE")
    early = "00000000-0000-7000-8000-000000000001"
    moved = sa.update(SealedMessage).where(SealedMessage.uri == late).values(id=early)
    await at.site.write(lambda session, _node: session.execute(moved) and None)
    assert "LATE" in (await noor.get(f"/cases/{case}"))[1]


async def test_what_takes_the_place_of_something_made_up_under_its_name_is_what_is_shown(at: Office) -> None:
    """Where an author has signed both, and a member has handed on the other one: nobody's memory keeps that."""
    case, node = await at.case("noor"), at.site.kernel.node
    name = await at.say("noor", case, "CANARY")
    await looks(at, case, "noor")
    [before] = of(at, "noor")
    assert says(before)

    def work(session: Any, _node: Any) -> Any:
        row = session.execute(sa.select(SealedMessage.id).where(SealedMessage.uri == name)).scalar_one()
        rooms.drop(session, node, row)
        opened = holding.open_room(session, node, at["noor"].viewer, at.keys["noor"], case)
        room_content.write(session, node, opened, document(Message(at=node.now(), text="TRUE")), name)
        return look_at(session, node, at["noor"].viewer, at.keys["noor"], case, before)

    found = await at.site.write(work)
    assert not says(found.case)
    assert any("TRUE" in text for text in words(found.case))


async def test_what_nobody_uses_for_some_time_goes_and_what_is_too_much_goes_first(at: Office) -> None:
    case, other = await both_on(at), await at.case("noor")
    await looks(at, case, "noor", "daan")
    [first] = of(at, "noor")
    memory(at).most = 3 * first.weight - 1
    await looks(at, case, "noor")  # again: now Daan's is the one that was used the longest ago
    await looks(at, other, "noor")
    assert memory(at).bytes <= memory(at).most
    assert ({place.case for place in memory(at).places}, of(at, "daan")) == ({case, other}, [])
    there = memory(at).places
    for place, (one, used) in list(there.items()):
        there[place] = one, used - IDLE
    await gone(at, "noor")
