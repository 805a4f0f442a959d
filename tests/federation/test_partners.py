"""Shows the partners' states as a machine: each move as the plan lists it, each other refused with no effect, strangers counted."""

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fedcollab.access.models import AuditEntry, Block
from fedcollab.actors import service as actors
from fedcollab.admin import partners as acts
from fedcollab.base.errors import Conflict, NotFound
from fedcollab.federation import delivery, outbox, partners
from fedcollab.federation.delivery import Outcome
from fedcollab.federation.models import Application
from tests.rows import Hands, home, memory, node, organisation, partner, refused

STATES = ("applied", "admitted", "refused", "suspended", "blocked", "left")
PLAN = {
    ("applied", "admitted"), ("applied", "refused"), ("admitted", "suspended"), ("suspended", "admitted"), ("admitted", "left"),
    ("suspended", "left"), ("refused", "admitted"), ("left", "admitted"), ("blocked", "admitted"), ("blocked", "left"),
    *((state, "blocked") for state in STATES if state != "blocked"),
}  # fmt: skip
OUTSIDE = {("outside", "blocked"), ("outside", "left")}  # of a server that is no partner, beside them


class Partnership(RuleBasedStateMachine):
    """One partner that is moved about at random."""

    def __init__(self) -> None:
        super().__init__()
        self.context = memory()
        self.session = self.context.__enter__()
        self.clock = Hands()
        self.node = node(self.clock)
        self.state = "applied"
        home(self.session, self.node)
        partner(self.session, self.node, "p.example", "applied")
        self.acts = self.entries()

    def entries(self) -> int:
        return self.session.execute(sa.select(sa.func.count()).select_from(AuditEntry)).scalar_one()

    @property
    def now(self) -> partners.PartnerData:
        return partners.find(self.session, "p.example")

    @rule(to=st.sampled_from(STATES))
    def move(self, to: str) -> None:
        self.clock.at += 1
        args = (self.session, self.node, None, "p.example", to)
        if to == self.state:
            acts.change(*args)
        elif (self.state, to) in PLAN:
            acts.change(*args)
            self.state, self.acts = to, self.acts + 1
        else:
            assert refused(self.session, acts.change, *args).endswith(f"({self.state} to {to})")

    @invariant()
    def the_state_is_as_told_and_every_change_is_on_record(self) -> None:
        assert (self.now.state, self.entries()) == (self.state, self.acts)

    @invariant()
    def only_an_admitted_partner_is_heard(self) -> None:
        assert partners.talks_with(self.session, "p.example") == (self.state in ("admitted", "suspended"))
        standing = partners.standing(self.session, ["https://p.example/actor", "https://unknown.example/actor"])
        assert standing == {"https://p.example/actor": (self.state in ("admitted", "suspended"), self.state == "blocked")}
        assert partners.admitted_hosts(self.session) == ({"p.example"} if self.state == "admitted" else set())

    @invariant()
    def exactly_a_blocked_partners_words_are_hidden(self) -> None:
        hidden = list(self.session.scalars(sa.select(Block.organisation_id)))
        assert hidden == ([self.now.organisation_id] if self.state == "blocked" else [])

    def teardown(self) -> None:
        self.context.__exit__(None, None, None)


Partnership.TestCase.settings = settings(max_examples=25, stateful_step_count=12)
TestPartnership = Partnership.TestCase


def test_the_moves_are_those_of_the_plan() -> None:
    assert {(old, new) for old, several in partners.MOVES.items() for new in several} == PLAN | OUTSIDE


@pytest.mark.parametrize("key", ["p.example", "https://p.example", "https://p.example/", "https://p.example/actor"])
def test_a_partner_is_found_by_whatever_an_admin_has_at_hand(key: str) -> None:
    with memory() as session:
        made = partner(session, node(), "p.example")
        assert partners.find(session, key) == partners.find(session, made.id) == made
        with pytest.raises(NotFound, match="fedcollab partner list"):
            partners.find(session, key.replace("p.example", "q.example"))


def test_adding_twice_changes_nothing_and_forgets_that_they_knocked() -> None:
    with memory() as session:
        here = node()
        partners.knock(session, here, "p.example", "https://p.example/actor")
        made = partner(session, here, "p.example")
        assert partners.applications(session) == []
        assert partners.add(session, here, actors.by_id(session, made.organisation_id)) == (made, False)


def test_a_second_organisation_of_a_listed_host_is_refused() -> None:
    with memory() as session:
        made = partner(session, node(), "p.example")
        other = actors.by_id(session, organisation(session, "p.example", path="/users/other"))
        assert "another organisation of this host" in refused(session, partners.add, session, node(), other)
        assert [p.id for p in partners.listed(session)] == [made.id]


def test_a_hundred_strangers_are_counted_a_line_each_and_no_more() -> None:
    with memory() as session:
        clock = Hands()
        for number in range(130):
            clock.at += 1
            for _ in range(2):
                partners.knock(session, node(clock), f"x{number}.example", "u" * 900)
        assert session.execute(sa.select(sa.func.count(), sa.func.min(Application.times), sa.func.max(Application.times))).one() == (
            100,
            2,
            2,
        )
        newest: Any = partners.applications(session)[0]
        assert (newest["host"], len(newest["actor_uri"])) == ("x99.example", 500)


def test_an_introduced_organisation_is_hidden_without_being_a_partner() -> None:
    with memory() as session:
        here, them = node(), organisation(session, "far.example", known="introduced")
        session.execute(
            sa.text("UPDATE actor SET through_id = :host WHERE id = :id"), {"id": them, "host": organisation(session, "p.example")}
        )
        [found] = partners.introduced(session, "https://far.example/actor")
        for _ in range(2):
            partners.block_introduced(session, here, None, found)
        assert list(session.scalars(sa.select(Block.organisation_id))) == [them]
        assert partners.listed(session) == []
        assert [one.blocked for one in partners.introduced(session)] == [True]
        partners.unblock_introduced(session, here, None, found)
        assert partners.standing(session, ["https://far.example/actor"]) == {"https://far.example/actor": (False, False)}


def test_a_partner_that_speaks_is_tried_again_at_once() -> None:
    with memory() as session:
        here = node()
        made = partner(session, here, "p.example")
        delivery.mark(session, here, made.id, [Outcome(1, 0, "away")], release=True)
        waiting = partners.find(session, "p.example")
        assert waiting.next_try_at > here.now()
        partners.speaks(session, waiting, here.now())
        assert (partners.find(session, "p.example").next_try_at, partners.find(session, "p.example").attempts) == (0, 0)


def test_an_unlisted_organisation_is_queued_nothing() -> None:
    with memory() as session:
        organisation(session, "far.example", known="introduced")
        for state in ("applied", "refused", "blocked", "left"):
            made = partner(session, node(), f"{state}.example", "applied")
            if state == "left":
                partners.move(session, node(), None, made, "admitted")
            if state != "applied":
                partners.move(session, node(), None, partners.find(session, made.host), state)
        everybody = [row[0] for row in session.execute(sa.text("SELECT id FROM actor"))]
        outbox._queue(session, "activity", everybody, "t")
        assert session.execute(sa.text("SELECT count(*) FROM delivery")).scalar_one() == 0


def test_the_conflict_is_said_in_words() -> None:
    with memory() as session:
        made = partner(session, node(), "p.example", "applied")
        with pytest.raises(Conflict, match="applied to left") as refusal:
            partners.move(session, node(), None, made, "left")
    assert "not possible in the partner's present state" in refusal.value.in_words()
