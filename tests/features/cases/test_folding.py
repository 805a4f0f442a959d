"""A case as it stands: the same in whatever order its entries came, whatever is among them."""

import random
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.clock import DAY, HOUR, MINUTE
from fedcollab.features.cases.arriving import AHEAD, Arrived
from fedcollab.features.cases.folding import fold
from fedcollab.features.cases.kinds import document
from fedcollab.features.cases.mending import Correction
from fedcollab.features.cases.people import Health, Identity, Person
from fedcollab.features.cases.record import Closed, Entry, StatusChanged, Terms
from fedcollab.features.cases.sharing import Withdrawn
from fedcollab.features.cases.shown import Case
from fedcollab.features.cases.work import Contact, Message, Progress, Step, Task

from .entries import ANNA, CONSENT, EVERYTHING, NOW, OPENED, SHARE, A, B, P, arrived, entries, json, look, uri


def case(*found: Arrived, **more: Any) -> Case:
    return fold([arrived("opened", OPENED), *found], look(*EVERYTHING, **more))


def test_a_case_that_was_opened_is_active_under_its_terms() -> None:
    found = case()
    assert (found.code, found.status, found.terms, found.terms_ids) == (OPENED.code, "Active", OPENED, (uri("opened"),))
    assert found.leads == {A}
    assert [shown.state for shown in found.timeline] == ["there"]


def test_nothing_is_a_case_too() -> None:
    assert fold([], look()).status == ""


anything = st.lists(
    st.tuples(
        entries().map(document) | st.dictionaries(st.text(max_size=6), json, max_size=3), st.sampled_from([A, B]), st.integers(0, 5 * DAY)
    ),
    max_size=12,
)


@given(anything, st.randoms(use_true_random=False), st.sets(st.sampled_from(sorted(EVERYTHING))))
def test_the_order_of_arrival_changes_nothing_and_nothing_is_lost(found: list[Any], dice: random.Random, knows: set[str]) -> None:
    came = [arrived("opened", OPENED)]
    came += [arrived(str(number), said, organisation, at=NOW + at) for number, (said, organisation, at) in enumerate(found)]
    first = fold(came, look(*knows))
    dice.shuffle(came)
    assert fold([*came, *came[:3]], look(*knows)) == first
    assert {shown.id for shown in first.timeline} == {one.id for one in came}
    assert first.status
    assert all(shown.id in {one.id for one in came} for shown in (*first.files, *first.holds))


@given(st.lists(entries(), max_size=10), st.integers(-4 * MINUTE, 4 * MINUTE), st.integers(0, DAY))
def test_two_nodes_with_the_same_entries_have_the_same_case(found: list[Entry], skew: int, late: int) -> None:
    """Though they came at other times: no clock among them is far ahead."""
    said = [replace(entry, at=NOW + number * MINUTE) for number, entry in enumerate(found)]
    here = [arrived(str(number), entry, B) for number, entry in enumerate(said)]
    there = [replace(one, at=one.at + late + abs(skew)) for one in here]
    now = NOW + 30 * DAY
    first, second = (fold([arrived("opened", OPENED), *came], look(*EVERYTHING, now=now)) for came in (here, there))
    assert [replace(shown, arrived=0) for shown in first.timeline] == [replace(shown, arrived=0) for shown in second.timeline]
    assert (first.status, first.terms, first.gone, first.leads) == (second.status, second.terms, second.gone, second.leads)


@pytest.mark.parametrize(
    ("content", "state"),
    [
        ({"v": 2, "kind": "message", "at": NOW}, "newer"),
        ({"v": 1, "kind": "weather", "at": NOW}, "newer"),
        ({"v": 1, "kind": "message", "at": NOW}, "broken"),
        ({"kind": ["message"]}, "broken"),
        ({}, "broken"),
    ],
)
def test_what_cannot_be_read_is_shown_as_such_and_breaks_nothing(content: dict[str, Any], state: str) -> None:
    found = case(arrived("odd", content, B), arrived("m", Message(at=NOW + 1, text="Still here.")))
    assert [(shown.id, shown.state) for shown in found.timeline if shown.id != uri("opened")] == [(uri("odd"), state), (uri("m"), "there")]
    assert found.unread == 1


def test_what_waits_for_its_key_or_was_erased_is_there_without_a_word() -> None:
    waiting = Arrived(uri("w"), ANNA, A, NOW, None, "key")
    gone = Arrived(uri("e"), ANNA, A, NOW, None, "erased")
    assert {shown.id: shown.state for shown in case(waiting, gone).timeline} == {
        uri("opened"): "there",
        uri("w"): "key",
        uri("e"): "erased",
    }


def test_an_entry_says_it_was_written_neither_long_after_it_came_nor_before_the_case_began() -> None:
    late = arrived("late", Message(at=NOW + 400 * DAY, text="From next year"), B, at=NOW + HOUR)
    early = arrived("early", Message(at=0, text="From 1970"), B, at=NOW + 2 * HOUR)
    found = case(late, early, arrived("m", Message(at=NOW + 2 * HOUR, text="Now")))
    assert [(shown.id, shown.at) for shown in found.timeline] == [
        (uri("opened"), NOW),
        (uri("early"), NOW),
        (uri("late"), NOW + HOUR + AHEAD),
        (uri("m"), NOW + 2 * HOUR),
    ]


def test_a_change_stands_after_what_its_author_saw_whatever_their_clocks_say() -> None:
    ahead = arrived("1", StatusChanged(at=NOW + 300 * DAY, status="FollowUp"), at=NOW + HOUR)
    after = arrived("2", StatusChanged(at=NOW + 2 * HOUR, status="Active", replaces=(uri("1"),)))
    assert case(ahead).status == "FollowUp"
    assert case(ahead, after).status == "Active"


def test_changes_that_replace_each_other_in_a_ring_leave_the_latest() -> None:
    one = arrived("1", StatusChanged(at=NOW + 1, status="Active", replaces=(uri("2"),)))
    two = arrived("2", StatusChanged(at=NOW + 2, status="FollowUp", replaces=(uri("1"),)))
    assert case(one, two).status == "FollowUp"


def test_a_change_that_names_itself_stands() -> None:
    one = arrived("1", StatusChanged(at=NOW + 1, status="Active"))
    two = arrived("2", StatusChanged(at=NOW + 2, status="FollowUp", replaces=(uri("2"),)))
    assert case(one, two).status == "FollowUp"


def test_only_the_organisation_that_leads_says_how_the_case_stands() -> None:
    closed = Closed(at=NOW + 1, status="Closed", outcome="Over.", retention="2027-12-01")
    assert case(arrived("c", closed, A)).status == "Closed"
    refused = case(arrived("c", closed, B), arrived("s", StatusChanged(at=NOW + 2, status="FollowUp"), B))
    assert refused.status == "Active"
    assert [shown.void for shown in refused.timeline] == [False, True, True]


def terms(at: int, *replaces: str, **more: Any) -> Terms:
    names = ("purpose", "basis", "condition", "label", "lead", "review", "retention")
    said = {name: getattr(OPENED, name) for name in names} | more
    return Terms(at=at, why="It was agreed.", replaces=tuple(map(uri, replaces)), **said)


@pytest.mark.rule("P8")
def test_terms_are_changed_by_who_leads_and_handed_on_with_the_lead() -> None:
    handed = arrived("1", terms(NOW + 1, "opened", lead=B), A)
    moved = arrived("2", terms(NOW + 2, "1", lead=B, label="TLP:RED"), B)
    alone = arrived("3", terms(NOW + 3, "opened", lead=B), B)  # what B would like
    found = case(handed, moved)
    assert found.terms is not None
    assert (found.terms.label, found.leads) == ("TLP:RED", {A, B})
    assert case(alone, moved).terms == OPENED
    assert case(handed, arrived("s", StatusChanged(at=NOW + 3, status="FollowUp"), B)).status == "FollowUp"


def test_a_second_opening_or_a_strangers_changes_nothing() -> None:
    other = replace(OPENED, at=0, code="bafuko-bafuko", lead=B, retention="2199-12-31")
    for organisation in (A, B):
        found = case(arrived("other", other if organisation == B else replace(other, at=NOW + 1), organisation))
        assert found.terms == OPENED
        assert found.code == OPENED.code
    assert fold([arrived("other", other, B)], look()).terms is None


def test_tasks_and_steps_are_open_until_they_are_done_or_dropped() -> None:
    came = [
        arrived("t1", Task(at=NOW, what="Call the embassy", owner=ANNA, due="2026-10-01")),
        arrived("t2", Task(at=NOW, what="Find a lawyer")),
        arrived("s", Step(at=NOW, person=P, support="Legal", what="First talk", due="2026-10-02")),
        arrived("p1", Progress(at=NOW + 2, of=uri("t1"), state="Done", note="They will send papers."), B),
        arrived("p2", Progress(at=NOW + 2, of=uri("s"), state="UnderWay")),
    ]
    found = case(*came)
    assert [task.item.id for task in found.tasks_open] == [uri("t2")]
    over = [task for task in found.tasks if task not in found.tasks_open]
    assert [(task.item.id, task.note, task.ids) for task in over] == [(uri("t1"), "They will send papers.", (uri("p1"),))]
    assert [step.progress for step in found.plan_open] == ["UnderWay"]
    again = case(*came, arrived("p3", Progress(at=NOW, of=uri("t1"), state="Open", replaces=(uri("p1"),))))
    assert {task.item.id for task in again.tasks_open} == {uri("t1"), uri("t2")}


def test_a_correction_stands_in_its_place_with_the_old_text_beside_it() -> None:
    came = [
        arrived("m", Message(at=NOW, text="She is 71.")),
        arrived("c1", Correction(at=NOW + 1, of=uri("m"), entry=Message(at=NOW + 1, text="She is 17."))),
    ]
    shown = next(shown for shown in case(*came).timeline if shown.id == uri("m"))
    assert isinstance(shown.entry, Message)
    assert shown.entry.text == "She is 17."
    assert [old.text for old in shown.before if isinstance(old, Message)] == ["She is 71."]
    assert shown.versions == (uri("m"), uri("c1"))


def test_words_are_corrected_by_their_own_organisation_and_tasks_by_anybody() -> None:
    def now(entry: Entry, other: Entry, organisation: str = B) -> Entry | None:
        came = arrived("m", entry), arrived("c", Correction(at=NOW + 1, of=uri("m"), entry=other), organisation)
        return next(shown.entry for shown in case(*came).timeline if shown.id == uri("m"))

    message = Message(at=NOW, text="Mine.")
    assert now(message, replace(message, text="Yours.")) == message
    task = Task(at=NOW, what="Call", due="2026-10-01")
    assert now(task, replace(task, due="2026-11-01")) == replace(task, due="2026-11-01")
    assert now(message, replace(message, text="Mine, too."), A) == replace(message, text="Mine, too.")
    for organisation in (A, B):  # nothing becomes something else
        assert now(task, message, organisation) == task
        assert now(message, task, organisation) == message


def test_two_who_write_at_the_same_time_lose_nothing() -> None:
    came = [
        arrived("p", Person(at=NOW, person=P, role="PotentialVictim")),
        arrived("h1", Health(at=NOW + 1, person=P, needs="An interpreter.")),
        arrived("h2", Health(at=NOW + 2, person=P, needs="Asthma spray."), B),
    ]
    [person] = case(*came).people
    [part] = person.parts
    assert person.role == "PotentialVictim"
    assert [entry.needs for entry in part.entries if isinstance(entry, Health)] == ["Asthma spray.", "An interpreter."]
    both = Health(at=NOW + 3, person=P, needs="An interpreter, asthma spray.", replaces=part.ids)
    [part] = case(*came, arrived("h3", both)).people[0].parts
    assert (part.entries, part.versions) == ((both,), (uri("h1"), uri("h2"), uri("h3")))


@pytest.mark.rule("P3")
def test_a_consent_is_in_force_until_its_day_or_until_anybody_records_its_withdrawal() -> None:
    came = [arrived("c", CONSENT), arrived("s", SHARE)]
    found = case(*came)
    assert [(one.how, share.standing) for one, share in zip(found.consents, found.shares, strict=True)] == [("given", True)]
    withdrawn = case(*came, arrived("w", Withdrawn(at=NOW + 1, of=uri("c")), B))
    assert [(one.how, share.standing) for one, share in zip(withdrawn.consents, withdrawn.shares, strict=True)] == [("withdrawn", False)]
    ended = case(*came, now=NOW + 200 * DAY)
    assert [(one.how, share.standing) for one, share in zip(ended.consents, ended.shares, strict=True)] == [("ended", False)]
    assert ended.in_force == ()


def test_ten_thousand_entries_are_a_case_in_well_under_a_second() -> None:
    opened = arrived("opened", OPENED)
    came = [opened]
    for number in range(10_000):
        at = NOW + number
        entry: Entry
        match number % 8:
            case 0:
                entry = Task(at=at, what="Call the embassy", owner=ANNA, due="2026-10-01")
            case 1:
                entry = Progress(at=at, of=uri(str(number - 1)), state="Done", note="They will call back.")
            case 2:
                entry = Contact(
                    at=at, who="The shelter", how="Phone", on="2026-09-30", time="14:30", reached="Reached", outcome="A bed. " * 40
                )
            case 3:
                entry = Identity(at=at, person=P, name="Name", languages=("km", "th"), replaces=(uri(str(number - 8)),))
            case 4:
                entry = Correction(at=at, of=uri(str(number + 1)), entry=Message(at=at, text="A better text. " * 30))
            case _:
                entry = Message(at=at, text="A text of some length. " * 30)
        came.append(arrived(str(number), entry))
    random.Random(7).shuffle(came)
    took = []
    for _ in range(3):  # what else the machine does only ever adds
        began = time.process_time()
        found = fold(came, look(*EVERYTHING))
        took.append(time.process_time() - began)
    assert len(found.timeline) == 10_001
    assert len(found.people[0].parts[0].entries) == 1
    assert min(took) < 0.6, took
