"""Shows, whatever partners answer, that deliveries are neither lost nor reordered within a thread, and that numbers have no gaps."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fedcollab.actors import keys
from fedcollab.base.clock import DAY, HOUR, MICROSECONDS
from fedcollab.base.database import Wakes
from fedcollab.base.errors import Refused, StorageFull, Unavailable, Unreachable
from fedcollab.base.http import Answer
from fedcollab.base.session import Session
from fedcollab.base.statements import part
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import delivery, outbox, partners, signatures, workers
from fedcollab.federation.delivery import JUDGES_ACTIVITY, JUDGES_PARTNER, Outcome, Verdict
from fedcollab.federation.models import ADMITTED, SUSPENDED, Delivery, Partner
from tests.rows import Hands, home, memory, node, partner

PLENTY = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
AWAY = 0
ANSWERS = st.sampled_from([200, 202, 202, *sorted(JUDGES_ACTIVITY), *sorted(JUDGES_PARTNER), 500, 502, 302, 418, AWAY])


@dataclass
class Post:
    """Answers deliveries as it is told, 401 to both forms of signature, then with 202; keeps what it took, in order."""

    answers: list[int]
    taken: list[str] = field(default_factory=list)
    asked: int = 0
    knocked: bool = False
    there: bool = True  # whether the node answers when it is asked who it is

    async def post(self, _inbox: str, body: bytes, **_: Any) -> Answer:
        status = self.answers.pop(0) if self.answers else 202
        self.knocked = status == 401 and not self.knocked
        if self.knocked:
            self.answers.insert(0, status)
        self.asked += not self.knocked
        if status == AWAY:
            raise Unreachable("nobody answers")
        if status < 300:
            self.taken.append(body.decode())
        return Answer(status, "https://p.example/actor/inbox", "", b"")

    async def get(self, uri: str, **_: Any) -> Answer:
        if not self.there:
            raise Unreachable("answered 502", answer=502)
        return Answer(200, uri, ap.MEDIA_TYPE, b"{}")


@dataclass
class Direct:
    """A database whose units run at once."""

    session: Session
    wakes: Wakes = field(default_factory=Wakes)

    async def read(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return work(self.session, *args, **kwargs)

    write = read

    async def look(self, query: sa.Select[Any], values: dict[str, Any]) -> Any:
        return self.session.connection().execute(query, values).all()


@dataclass
class Bench:
    """A node that delivers to partners which answer as drawn."""

    session: Session
    clock: Hands = field(default_factory=Hands)
    published: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.node = node(self.clock)
        self.me = home(self.session, self.node)

    def publish(self, thread: str, *organisations: str) -> str:
        uri = outbox.new_uri(self.node)
        made = ap.activity("Create", uri, self.me.uri, f"https://home.example/posts/{uri[-36:]}")
        outbox.publish(self.session, self.node, self.me.id, made, to=organisations, order_key=thread)
        self.published.setdefault(thread, []).append(uri)
        return uri

    def run(self, post: Post) -> bool:
        """One round of the delivery worker, to partners whose form of signature is known; whether there was anything to do."""
        self.session.execute(sa.update(Partner).values(form=signatures.RFC9421))
        kernel: Any = type("Kernel", (), {"node": self.node, "database": Direct(self.session), "fetcher": post, "sent": Counter()})()

        async def one() -> bool:
            leased = delivery.lease(self.session, self.clock())
            for partner_id, host in leased:
                await workers._burst(kernel, f"{partner_id} {host}", [])
            return bool(leased)

        return asyncio.run(one())

    def states(self) -> dict[str, str]:
        """{uri: state} of all deliveries."""
        query = sa.text("SELECT a.uri, d.state FROM delivery d JOIN activity a ON a.id = d.activity_id")
        return {row[0]: row[1] for row in self.session.execute(query)}

    def drain(self, post: Post) -> None:
        """Time goes on until nothing waits."""
        for _ in range(400):
            if self.run(post):
                continue
            due = delivery.next_due(self.session, self.clock())
            if due is None:
                return
            self.clock.at = due
        raise AssertionError("it never ends")


def uri_in(body: str) -> str:
    return body.partition('"id":"')[2].partition('"')[0]


@PLENTY
@given(
    st.lists(st.one_of(st.sampled_from(["a", "b", "c"]), st.just("run"), st.just("wait")), max_size=25),
    st.lists(ANSWERS, max_size=30),
    st.booleans(),
)
def test_whatever_a_partner_answers_nothing_is_lost_and_each_thread_keeps_its_order(steps: list[str], answers: list[int], up: bool) -> None:
    with memory() as session:
        bench, post = Bench(session), Post(answers, there=up)
        there = partner(session, bench.node, "p.example")
        for step in steps:
            if step == "run":
                bench.run(post)
            elif step == "wait":
                bench.clock.at += HOUR
            else:
                bench.publish(step, there.organisation_id)
        bench.drain(post)
        states = bench.states()
        taken = [uri_in(body) for body in post.taken]
        assert len(taken) == len(set(taken))
        assert {uri for uri, state in states.items() if state == "done"} == set(taken)
        assert set(states.values()) <= {"done", "refused", "parked"}
        for thread in bench.published.values():
            assert [uri for uri in taken if uri in thread] == [uri for uri in thread if states[uri] == "done"]


@PLENTY
@given(st.lists(st.sampled_from([*sorted(JUDGES_PARTNER), AWAY, 302]), min_size=1, max_size=20), st.integers(1, 5))
def test_what_judges_the_partner_keeps_everything_waiting_and_stops_asking(answers: list[int], count: int) -> None:
    with memory() as session:
        bench, post = Bench(session), Post(list(answers))
        there = partner(session, bench.node, "p.example")
        for number in range(count):
            bench.publish(f"thread {number % 2}", there.organisation_id)
        while post.answers:
            before = post.asked
            bench.run(post)
            found = partners.find(session, "p.example")
            assert set(bench.states().values()) == {"waiting"}
            assert 1 <= post.asked - before <= delivery.LANES
            assert found.last_error
            assert bench.clock() < found.next_try_at <= bench.clock() + delivery.LONGEST_PAUSE
            bench.run(post)
            assert post.asked - before <= delivery.LANES, "it waits for its time"
            post.answers = post.answers if len(post.answers) > 1 else []
            bench.clock.at = found.next_try_at
        bench.drain(post)
        assert set(bench.states().values()) == {"done"}
        assert partners.find(session, "p.example").last_error == ""


def test_an_activity_that_always_fails_is_parked_after_twelve_tries_and_holds_up_its_own_thread_alone() -> None:
    with memory() as session:
        bench = Bench(session)
        there = partner(session, bench.node, "p.example")
        bad, behind, other = (bench.publish(thread, there.organisation_id) for thread in ("a", "a", "b"))

        class Failing(Post):
            async def post(self, inbox: str, body: bytes, **more: Any) -> Any:
                self.answers = [500] if uri_in(body.decode()) == bad else [202]
                return await super().post(inbox, body, **more)

        post = Failing([])
        bench.run(post)
        assert bench.states() == {bad: "waiting", behind: "waiting", other: "done"}
        assert not bench.run(post), "nothing is asked for before its time"
        bench.drain(post)
        assert bench.states() == {bad: "parked", behind: "done", other: "done"}
        row = session.execute(sa.select(Delivery.attempts, Delivery.status, Delivery.error).where(Delivery.state == "parked")).one()
        assert tuple(row) == (delivery.TRIES, 500, "answered 500")


@pytest.mark.rule("R5")
def test_one_that_is_refused_and_one_that_always_fails_hold_up_none_of_a_thousand_good_ones() -> None:
    with memory() as session:
        bench = Bench(session)
        there = partner(session, bench.node, "p.example")
        refused, failing = (bench.publish(thread, there.organisation_id) for thread in ("a", "b"))
        good = [bench.publish(f"thread {number % 20}", there.organisation_id) for number in range(1000)]

        class Choosing(Post):
            async def post(self, inbox: str, body: bytes, **more: Any) -> Any:
                self.answers = [{refused: 400, failing: 500}.get(uri_in(body.decode()), 202)]
                return await super().post(inbox, body, **more)

        post, began = Choosing([]), bench.clock()
        while bench.run(post):
            pass
        assert bench.states() == {refused: "refused", failing: "waiting"} | dict.fromkeys(good, "done")
        assert bench.clock() == began, "no good one waited"
        bench.drain(post)
        assert delivery.counts(session) == {there.id: {"refused": 1, "parked": 1}}
        why = session.execute(sa.text("SELECT state, status, error FROM delivery WHERE state <> 'done' ORDER BY seq")).all()
        assert [tuple(row) for row in why] == [("refused", 400, "answered 400"), ("parked", 500, "answered 500")]


@pytest.mark.parametrize("status", sorted(JUDGES_ACTIVITY))
def test_an_activity_refused_for_good_is_asked_once_and_passed(status: int) -> None:
    with memory() as session:
        bench, post = Bench(session), Post([status])
        there = partner(session, bench.node, "p.example")
        bad, good = bench.publish("a", there.organisation_id), bench.publish("a", there.organisation_id)
        bench.drain(post)
        assert (bench.states(), post.asked) == ({bad: "refused", good: "done"}, 2)


@pytest.mark.parametrize("status", [402, 406, 409, 418, 451, 500, 502])
def test_one_whose_error_is_of_no_kind_that_we_know_holds_up_no_other_conversation(status: int) -> None:
    with memory() as session:
        bench, post = Bench(session), Post([status])
        there = partner(session, bench.node, "p.example")
        bad = bench.publish("a", there.organisation_id)
        bench.run(post)
        assert partners.find(session, "p.example").last_success_at is None, "an error is no success"
        good = bench.publish("b", there.organisation_id)
        bench.run(post)
        assert bench.states() == {bad: "waiting", good: "done"}
        assert partners.find(session, "p.example").last_success_at == bench.clock()


@given(st.integers(100, 599))
def test_each_answer_speaks_of_the_activity_or_of_the_partner(status: int) -> None:
    verdict = Outcome(1, status).verdict
    assert (verdict is Verdict.DONE) == (200 <= status < 300)
    assert (verdict is Verdict.REFUSED) == (status in JUDGES_ACTIVITY)
    assert (verdict is Verdict.ACTIVITY) == (status >= 400 and status not in JUDGES_ACTIVITY | JUDGES_PARTNER)


@given(st.integers(1, 10_000))
def test_pauses_grow_and_end_at_six_hours(tries: int) -> None:
    assert 2 * MICROSECONDS <= delivery.pause(tries) <= delivery.pause(tries + 1) <= 6 * HOUR
    assert delivery.pause(1) == 2 * MICROSECONDS


@pytest.mark.parametrize(("asked", "wait"), [(120, 120 * MICROSECONDS), (30 * 86400, 6 * HOUR), (None, 2 * MICROSECONDS)])
def test_a_partner_that_names_its_time_is_given_it_up_to_six_hours(asked: int | None, wait: int) -> None:
    with memory() as session:
        bench = Bench(session)
        there = partner(session, bench.node, "p.example")
        bench.publish("a", there.organisation_id)
        delivery.mark(session, bench.node, there.id, [Outcome(1, 503, "busy", asked)], release=True)
        assert partners.find(session, "p.example").next_try_at == bench.clock() + wait


@PLENTY
@given(st.lists(st.tuples(st.sets(st.sampled_from(["p", "q", "s"])), st.booleans()), max_size=20))
def test_each_partners_stream_is_numbered_without_gaps_whatever_was_refused(units: list[tuple[set[str], bool]]) -> None:
    with memory() as session:
        bench = Bench(session)
        hosts = {name: partner(session, bench.node, f"{name}.example") for name in ("p", "q", "s")}
        partners.move(session, bench.node, None, hosts["s"], SUSPENDED)
        sent: dict[str, list[str]] = {name: [] for name in hosts}
        for to, good in units:
            with contextlib.suppress(Refused), part(session):
                uri = bench.publish("t", *(hosts[name].organisation_id for name in to))
                if not good:
                    raise Refused
                for name in to:
                    sent[name].append(uri)
        for name, one in hosts.items():
            query = sa.text(
                "SELECT d.seq, a.uri FROM delivery d JOIN activity a ON a.id = d.activity_id WHERE partner_id = :p ORDER BY seq"
            )
            rows = [tuple(row) for row in session.execute(query, {"p": one.id})]
            assert rows == list(enumerate(sent[name], start=1))
            assert partners.find(session, f"{name}.example").last_seq == len(rows)


def test_a_partner_in_one_process_hands_is_in_no_others_until_it_is_given_back_or_time_has_run_out() -> None:
    with memory() as session:
        bench = Bench(session)
        there = partner(session, bench.node, "p.example")
        bench.publish("a", there.organisation_id)
        assert delivery.lease(session, bench.clock()) == [(there.id, "p.example")]
        assert delivery.lease(session, bench.clock()) == []
        assert delivery.next_due(session, bench.clock()) == bench.clock() + delivery.LEASE
        delivery.release_all(session)
        assert delivery.lease(session, bench.clock()) == [(there.id, "p.example")]
        assert delivery.lease(session, bench.clock() + delivery.LEASE) == [(there.id, "p.example")]


def test_a_slow_partner_gets_its_queue_in_bursts_that_end_before_their_lease() -> None:
    with memory() as session:
        bench = Bench(session)
        there = partner(session, bench.node, "p.example")
        sent = [bench.publish("a", there.organisation_id) for _ in range(80)]
        left = []

        class Slow(Post):
            async def post(self, inbox: str, body: bytes, **more: Any) -> Any:
                left.append(session.execute(sa.select(Partner.leased_until)).scalar_one() - bench.clock())
                bench.clock.at += 15 * MICROSECONDS
                return await super().post(inbox, body, **more)

        post = Slow([])
        bench.drain(post)
        assert [uri_in(body) for body in post.taken] == sent
        assert min(left) > 15 * MICROSECONDS


async def test_a_partner_that_is_being_delivered_to_is_not_started_again_whatever_the_lease_says() -> None:
    with memory() as session:
        bench = Bench(session)
        there = partner(session, bench.node, "p.example")
        bench.publish("a", there.organisation_id)
        kernel: Any = type("Kernel", (), {"node": bench.node, "database": Direct(session, Wakes()), "sent": Counter()})()
        started, go_on = [], asyncio.Event()

        async def work(_kernel: Any, lane: str, _items: list[int]) -> None:
            started.append(lane)
            await go_on.wait()

        async with asyncio.TaskGroup() as group:
            lanes = workers.Lanes(kernel, group, "delivery", work)
            for _ in range(2):
                await lanes.start_deliveries()
                bench.clock.at += DAY
            await asyncio.sleep(0)
            go_on.set()
        assert started == [f"{there.id} p.example"]
        assert lanes.running == {}


async def test_workers_start_late_on_a_node_that_could_not_write_at_first() -> None:
    with memory() as session:
        bench, given_back = Bench(session), asyncio.Event()
        refusals = [StorageFull(), Unavailable()]

        class Full(Direct):
            async def write(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
                if refusals:
                    raise refusals.pop()
                if work is delivery.release_all:
                    given_back.set()
                return await self.read(work, *args, **kwargs)

        kernel: Any = type("Kernel", (), {"node": bench.node, "database": Full(session, Wakes()), "sent": Counter(), "pulse": {}})()
        task = asyncio.create_task(workers.run(kernel))
        async with asyncio.timeout(10):
            await given_back.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()


def test_a_suspended_partner_keeps_its_queue_and_gets_it_once_admitted_again_a_blocked_one_gets_nothing() -> None:
    with memory() as session:
        bench, post = Bench(session), Post([])
        there = partner(session, bench.node, "p.example")
        one = bench.publish("a", there.organisation_id)
        partners.move(session, bench.node, None, there, SUSPENDED)
        two = bench.publish("a", there.organisation_id)
        bench.clock.at += DAY
        bench.drain(post)
        assert bench.states() == {one: "waiting", two: "waiting"}
        partners.move(session, bench.node, None, partners.find(session, "p.example"), ADMITTED)
        bench.drain(post)
        assert [uri_in(body) for body in post.taken] == [one, two]
        partners.move(session, bench.node, None, partners.find(session, "p.example"), "blocked")
        bench.publish("a", there.organisation_id)
        assert len(bench.states()) == 2
        assert session.execute(sa.select(Partner.last_seq)).scalar_one() == 2


def test_signing_keys_are_the_actors_own() -> None:
    with memory() as session:
        bench = Bench(session)
        kernel: Any = type("Kernel", (), {"node": bench.node, "sent": Counter()})()
        found = workers._signers(session, kernel, {bench.me.id}, keys.RSA)
        assert found[bench.me.id].uri == bench.me.uri + keys.FRAGMENTS[keys.RSA]
