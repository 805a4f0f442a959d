"""Shows that what arrives is stored once, taken up in its order lane by lane, and parked in sight when it always fails."""

from itertools import takewhile
from typing import Any
from unittest.mock import patch

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.access.models import AuditEntry
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.clock import MINUTE
from fedcollab.base.database import TOPICS
from fedcollab.base.errors import BadRequest, Refused, Unauthorized
from fedcollab.base.session import Session
from fedcollab.federation import inbox, lanes
from fedcollab.federation.models import InboxItem
from fedcollab.federation.registry import Handler, Registry, Verified
from tests.rows import Hands, memory, node, organisation, partner, receive

HOSTS = ("p.example", "q.example")


def arrive(session: Session, clock: Hands, host: str, number: int, thread: str) -> bool:
    sender = actors.by_uri(session, f"https://{host}/actor")
    assert sender
    inner = {"id": f"https://{host}/n{number}", "context": thread} if thread else f"https://{host}/n{number}"
    return receive(session, node(clock), sender, {"id": f"https://{host}/{number}", "type": "Create", "object": inner})


ARRIVALS = st.lists(st.tuples(st.sampled_from(HOSTS), st.integers(0, 6), st.sampled_from(["", "t1", "t2"])), max_size=14)


@given(ARRIVALS)
def test_an_activity_is_stored_once_by_its_id_and_host_and_wakes_the_worker(arrivals: list[tuple[str, int, str]]) -> None:
    with memory() as session:
        clock, seen = Hands(), set[tuple[str, int]]()
        for host in HOSTS:
            organisation(session, host)
        for host, number, thread in arrivals:
            session.info.pop(TOPICS, None)
            assert arrive(session, clock, host, number, thread) == ((host, number) not in seen)
            assert "inbox" in session.info.get(TOPICS, ())
            seen.add((host, number))
        stored = session.execute(sa.select(InboxItem.host, InboxItem.uri)).all()
        assert sorted(map(tuple, stored)) == sorted((host, f"https://{host}/{number}") for host, number in seen)


@given(ARRIVALS, st.sets(st.integers(1, 14)), st.data())
def test_each_lane_is_in_the_order_of_arrival_and_waits_for_its_head(
    arrivals: list[tuple[str, int, str]], failing: set[int], data: st.DataObject
) -> None:
    with memory() as session:
        clock, every, place = Hands(), dict[str, list[int]](), dict[int, str]()
        for host in HOSTS:
            organisation(session, host)
        for host, number, thread in arrivals:
            if arrive(session, clock, host, number, thread):
                item = session.execute(sa.select(sa.func.max(InboxItem.id))).scalar_one()
                place[item] = f"{host} {thread}"
                every.setdefault(place[item], []).append(item)
        first = session.execute(sa.select(sa.func.min(InboxItem.id))).scalar_one() or 0
        late = {first + number - 1 for number in failing} & set(place)
        for item in late:
            inbox.postpone(session, item, clock(), "failed")
        expected = {lane: items[: next((n for n, item in enumerate(items) if item in late), len(items))] for lane, items in every.items()}
        for found in (lanes.due(session, clock()), lanes.ready(session, clock())):
            assert found == {lane: items for lane, items in expected.items() if items}
        clock.at += MINUTE
        assert lanes.due(session, clock()) == lanes.ready(session, clock()) == every
        busy = set(list(every)[:1])
        assert list(lanes.due(session, clock(), busy=busy, most=2)) == list(every)[1:3]
        assert list(lanes.ready(session, clock(), busy=busy)) == list(every)[1:]


def test_a_lane_that_holds_hundreds_hides_none_of_the_others() -> None:
    with memory() as session:
        clock = Hands()
        for host in HOSTS:
            organisation(session, host)
        for number in range(3 * lanes.BATCH):
            arrive(session, clock, HOSTS[0], number, "t1")
        arrive(session, clock, HOSTS[1], 1, "t2")
        found = lanes.due(session, clock(), busy={f"{HOSTS[0]} t1"})
        assert found == {f"{HOSTS[1]} t2": [3 * lanes.BATCH + 1]}
        assert lanes.due(session, clock()) == {f"{HOSTS[0]} t1": list(range(1, lanes.BATCH + 1))} | found
        assert lanes.ready(session, clock(), busy={f"{HOSTS[0]} t1"}) == found
        inbox.postpone(session, 1, clock(), "failed")
        assert lanes.ready(session, clock()) == found


class Stumbling:
    """Handles some activities, stores something for each, and then fails for the rest."""

    def __init__(self, bad: set[int]) -> None:
        self.bad = bad

    def __call__(self, session: Session, _node: Node, received: Verified) -> None:
        number = int(received.activity["id"].rsplit("/", 1)[-1])
        session.execute(sa.insert(AuditEntry).values(seq=number, at=0, actor_id=None, action="done", subject="", prev="", hash=str(number)))
        if number in self.bad:
            raise (Refused(reason="bad") if number % 2 else ValueError(number))


@given(st.lists(st.sampled_from(("t1", "t2", "t3")), min_size=1, max_size=12), st.sets(st.integers(1, 12)))
def test_what_cannot_be_done_keeps_its_lane_alone_and_leaves_nothing_while_all_others_are_done(threads: list[str], bad: set[int]) -> None:
    with memory() as session, patch.object(inbox, "UNIT", 60.0):
        organisation(session, HOSTS[0])
        of_lane: dict[str, list[int]] = {}
        for number, thread in enumerate(threads, start=1):
            arrive(session, Hands(), HOSTS[0], number, thread)
            of_lane.setdefault(f"{HOSTS[0]} {thread}", []).append(number)
        registry = Registry([Handler("Create", (), Stumbling(bad))])
        good = {lane: list(takewhile(lambda number: number not in bad, items)) for lane, items in of_lane.items()}
        left = {lane: items[len(good[lane]) :] for lane, items in of_lane.items() if len(good[lane]) < len(items)}
        done, alone, early = inbox.process_ready(session, node(), registry)
        assert (done, alone, early) == (sum(map(len, good.values())), left, None)
        assert set(session.scalars(sa.select(AuditEntry.seq))) == {number for items in good.values() for number in items}
        assert set(session.scalars(sa.select(InboxItem.id).where(InboxItem.state == "waiting"))) == {
            n for items in left.values() for n in items
        }
        assert inbox.process_ready(session, node(), registry, busy=set(left)) == (0, {}, None)


def test_a_unit_ends_with_the_item_that_is_under_way_when_its_time_is_over() -> None:
    with memory() as session, patch.object(inbox, "UNIT", 0.0):
        organisation(session, HOSTS[0])
        for number in (1, 2):
            arrive(session, Hands(), HOSTS[0], number, "t")
        for left in (1, 0):
            assert inbox.process_ready(session, node(), Registry([])) == (1, {}, None)
            assert session.scalar(sa.select(sa.func.count()).where(InboxItem.state == "waiting")) == left


def test_what_always_fails_is_tried_ever_later_and_parked_after_eight_tries() -> None:
    with memory() as session:
        clock = Hands()
        organisation(session, HOSTS[0])
        arrive(session, clock, HOSTS[0], 1, "t")
        arrive(session, clock, HOSTS[0], 2, "t")
        [[item, behind]] = lanes.due(session, clock()).values()
        for tries in range(1, inbox.TRIES + 1):
            inbox.postpone(session, item, clock(), "ValueError")
            row = session.execute(sa.select(InboxItem.state, InboxItem.next_try_at, InboxItem.reason).where(InboxItem.id == item)).one()
            assert tuple(row) == ("parked" if tries == inbox.TRIES else "waiting", clock() + 2 ** (tries - 1) * MINUTE, "ValueError")
            clock.at = row.next_try_at
        assert lanes.due(session, clock()) == {f"{HOSTS[0]} t": [behind]}


def test_an_item_has_its_effect_once_and_a_refused_one_keeps_its_reason() -> None:
    with memory() as session:
        done: list[str] = []
        organisation(session, HOSTS[0])
        registry = Registry([Handler("Create", (), lambda _session, _node, received: done.append(received.activity["id"]))])
        arrive(session, Hands(), HOSTS[0], 1, "")
        [[item]] = lanes.due(session, Hands()()).values()
        for _ in range(2):
            inbox.process(session, node(), registry, item)
        assert done == ["https://p.example/1"]
        arrive(session, Hands(), HOSTS[0], 2, "")
        inbox.refuse(session, node(), item + 1, Refused(reason="x" * 900))
        inbox.process(session, node(), registry, item + 1)
        assert len(done) == 1
        assert session.execute(sa.select(InboxItem.reason).where(InboxItem.id == item + 1)).scalar_one() == "x" * 500


@pytest.mark.parametrize("came", [True, False])
def test_what_is_refused_while_something_before_it_lacks_is_set_aside_and_then_taken_or_given_up(came: bool) -> None:
    with memory() as session:
        clock, listed = Hands(), list[str]()
        there = actors.by_id(session, partner(session, node(clock), HOSTS[0]).organisation_id)

        def take(_session: Session, _node: Node, received: Verified) -> None:
            if received.activity["id"].endswith("/2") and not listed:
                raise Refused(reason="no list")
            listed.append(received.activity["id"])

        registry = Registry([Handler("Create", (), take)])

        def come(number: int) -> None:
            activity = {"id": f"https://{HOSTS[0]}/{number}", "type": "Create", "object": f"https://{HOSTS[0]}/n{number}"}
            receive(session, node(clock), there, activity, (1, number))

        def state() -> tuple[str, str]:
            row = session.execute(sa.select(InboxItem.state, InboxItem.reason).where(InboxItem.uri.endswith("/2"))).one()
            return row.state, row.reason

        come(2)
        tried, refused = 0, None
        while refused is None and state()[0] != "done":
            refused = inbox.settle(session, node(clock), registry, 1, {})
            tried += 1
            if refused is None and came and not listed:
                assert state() == ("early", "came before what it is about")
                come(1)
                assert inbox.settle(session, node(clock), registry, 2, {}) is None
        if came:
            assert (tried, state()) == (2, ("done", ""))
        else:
            assert (tried, state()) == (inbox.EARLY_TRIES + 1, ("refused", "no list"))


def test_what_nobody_handles_is_done_and_says_so() -> None:
    with memory() as session:
        organisation(session, HOSTS[0])
        arrive(session, Hands(), HOSTS[0], 1, "")
        inbox.process(session, node(), Registry([]), 1)
        assert session.execute(sa.select(InboxItem.state, InboxItem.reason)).one() == ("done", "nothing here handles this type")


def sender() -> actors.ActorData:
    with memory() as session:
        return actors.by_id(session, organisation(session, HOSTS[0]))


SENDER = sender()
GOOD: dict[str, Any] = {
    "id": "https://p.example/1",
    "type": "Create",
    "actor": SENDER.uri,
    "object": {"id": "https://p.example/2", "type": "Note"},
}


def test_handlers_are_found_by_every_type_and_only_some_take_what_a_group_announces() -> None:
    def work(_session: Session, _node: object, _received: Verified) -> None:
        raise AssertionError("it is looked for, not run")

    one, other = Handler("Create", ("Note", "Page"), work, announced=True), Handler("Create", (), work)
    registry = Registry([one, other, Handler("Delete", (), work)])

    def count(activity: dict[str, Any], through: actors.ActorData | None = None) -> int:
        return len(registry.find(Verified(activity, SENDER, SENDER, through)))

    note = {"type": ["x", "Create"], "object": {"type": ["Note", "y"]}}
    assert (count(note), count(note, through=SENDER)) == (2, 1)
    assert count({"type": "Create", "object": "https://p.example/1"}) == 1
    assert count({"type": "create"}) == count({}) == count({"type": {"x": 1}}) == 0


def test_a_good_activity_passes_and_a_missing_actor_is_the_signer() -> None:
    assert inbox.check(GOOD, SENDER) == GOOD
    assert inbox.check({k: v for k, v in GOOD.items() if k != "actor"}, SENDER) == GOOD
    assert inbox.check(GOOD | {"actor": {"id": SENDER.uri}}, SENDER) == GOOD


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"id": None}, BadRequest),
        ({"id": ["https://p.example/1"]}, BadRequest),
        ({"id": "https://p.example/" + "x" * 2000}, BadRequest),
        ({"id": "https://p.example/a b"}, BadRequest),
        ({"id": "nonsense"}, BadRequest),
        ({"type": None}, BadRequest),
        ({"type": {}}, BadRequest),
        ({"object": {"type": "Note"}}, BadRequest),
        ({"object": {"id": "https://p.example/2"}}, BadRequest),
        ({"actor": [SENDER.uri, "https://q.example/actor"]}, BadRequest),
        ({"actor": "https://p.example/other"}, Unauthorized),
        ({"id": "https://q.example/1"}, Unauthorized),
        ({"id": "https://p.example:8443/1"}, Unauthorized),
        ({"id": "https://p.example.evil.example/1"}, Unauthorized),
    ],
)
def test_a_wrong_shape_or_origin_is_refused_with_its_reason(change: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        inbox.check(GOOD | change, SENDER)
    assert str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)
KEYS = st.sampled_from(["id", "type", "actor", "object", "x"])


@given(st.one_of(JSON, st.dictionaries(KEYS, JSON).map(lambda found: GOOD | found), st.dictionaries(KEYS, JSON)))
def test_any_document_at_all_is_taken_or_refused_in_our_words(document: Any) -> None:
    try:
        found = inbox.check(document, SENDER)
    except Refused:
        return
    assert found["actor"] == SENDER.uri
