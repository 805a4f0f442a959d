"""Rooms under a hostile network, an owner that gives out two lists or was restored, takeovers and healing: what holds after each step."""

import contextlib
import random
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from fedcollab.base.errors import Refused
from fedcollab.sealing import acting, casesecrets
from fedcollab.sealing.casekeys import CaseKey, Member
from fedcollab.sealing.facts import Fact, organisations
from fedcollab.sealing.refusals import TakenOver
from fedcollab.sealing.room_state import OPEN, Room

from .simulated import DEPUTY, MINA, NODES, NOOR, OWNER, ROOM, Air, Making, fresh, stand_in

nodes = st.sampled_from(NODES)
places = st.integers(0, 1000)


class Rooms(RuleBasedStateMachine):
    """Whoever acts does so by what its own node believes; what that refuses is not done."""

    make: Making = staticmethod(stand_in)

    @initialize()
    def begin(self) -> None:
        self.air = Air(self.make)
        self.air.join(DEPUTY, MINA)
        self.air[OWNER].issues(acting.turn(self.air[OWNER].room, deputies=(DEPUTY,)), self.make)
        self.air.settle()
        self.backup: tuple[Room, dict[str, Any]] = self.air[OWNER].room, dict(self.air[OWNER].secrets)
        self.messages: list[Any] = []
        self.works_with: dict[str, dict[int, str]] = {me: {} for me in NODES}

    def tries(self, who: str, act: Any, *values: Any, **more: Any) -> None:
        try:
            made = act(self.air[who].room, *values, **more)
        except Refused:
            return
        if isinstance(made, CaseKey):
            self.air[who].issues(made, self.make)
        else:
            self.air[who].learns(made)

    def leaders(self) -> list[str]:
        """Who takes itself for the owner."""
        return [me for me, node in self.air.nodes.items() if node.room.leads]

    @rule(whom=nodes)
    def invite(self, whom: str) -> None:
        for who in self.leaders():
            self.tries(who, acting.invite, fresh("invitation"), whom, has_key=True)

    @rule(yes=st.sampled_from([True, True, True, False]))
    def answer(self, yes: bool) -> None:
        for who, node in self.air.nodes.items():
            for seat in node.room.seats:
                if seat.invitation.organisation == who:
                    more = (fresh("mk"),) if yes else ()
                    self.tries(who, acting.accept if yes else acting.decline, seat.invitation.id, *more)

    @rule()
    def withdraw(self) -> None:
        for who in self.leaders():
            for seat in self.air[who].room.seats:
                self.tries(who, acting.withdraw, seat.invitation.id)

    @rule(who=nodes)
    def leave(self, who: str) -> None:
        self.tries(who, acting.leave)

    @rule(whom=nodes)
    def remove(self, whom: str) -> None:
        for who in self.leaders():
            self.tries(who, acting.remove, whom)

    @rule(who=nodes)
    def rekey(self, who: str) -> None:
        self.tries(who, acting.rekey, fresh("mk"))

    @rule(whom=nodes, since=st.integers(1, 6))
    def grant(self, whom: str, since: int) -> None:
        for who in self.leaders():
            self.tries(who, acting.grant, whom, since)

    @rule(deputies=st.none() | st.sets(nodes, min_size=1))
    def turn(self, deputies: set[str] | None) -> None:
        for who in self.leaders():
            inside = self.air[who].room.inside
            self.tries(who, acting.turn, tuple(sorted(deputies & inside - {who})) if deputies else None)

    @rule()
    def hand_over(self) -> None:
        for who in self.leaders():
            for to in self.air[who].room.head.deputies[:1]:
                self.tries(who, acting.turn, None, to)

    @rule(who=nodes)
    def write(self, who: str) -> None:
        try:
            self.messages.append(self.air[who].writes())
        except Refused:
            assert self.air[who].room.state != OPEN or self.air[who].room.is_ended(self.member(who))

    def member(self, who: str) -> Member:
        return next(member for member in self.air[who].room.head.members if member.organisation == who)

    @rule(deputy=nodes, backers=st.sets(nodes, min_size=1), out=st.booleans())
    def take_over(self, deputy: str, backers: set[str], out: bool) -> None:
        """A deputy takes over with the words of those whom it reaches by telephone."""
        for who in sorted(backers):
            with contextlib.suppress(Refused):
                word = acting.back(self.air[who].room, deputy)
                self.air[who].learns(word)
                self.air[deputy].learns(word)
        self.tries(deputy, acting.take_over, out=out)

    @rule(everything=st.booleans())
    def heal(self, everything: bool) -> None:
        for who in self.air.nodes:
            self.tries(who, acting.heal)
        if everything:
            self.air.settle()
            self.agree(set(NODES))
            self.air.settle()

    @rule(agree=st.sets(nodes, min_size=1))
    def agree(self, agree: set[str]) -> None:
        for who in sorted(agree):
            healing = self.air[who].room.line.healing
            if healing and who != healing.issuer:
                self.tries(who, acting.agree, healing.ck)

    @rule(chosen=st.sets(nodes, min_size=1), ghost=st.booleans())
    def two_lists(self, chosen: set[str], ghost: bool) -> None:
        """An owner gives some of the members another list than the rest, with somebody in it who was not asked."""
        who = self.leaders()[0] if self.leaders() else OWNER
        try:
            plans = [acting.turn(self.air[who].room), acting.turn(self.air[who].room, deputies=())]
        except Refused:
            return
        if ghost and NOOR not in organisations(plans[1]):
            plans[1] = replace(plans[1], members=(*plans[1].members, Member(NOOR, "", "member", fresh("mk"), plans[1].epoch)))
        other, secret = self.make(plans[1])
        self.air[who].issues(plans[0], self.make)
        self.air[who].secrets[other.ck] = secret
        self.air.under_way += [(who, to, other) for to in sorted(chosen & self.air[who].room.inside - {who})]

    @rule()
    def back_up(self) -> None:
        self.backup = self.air[OWNER].room, dict(self.air[OWNER].secrets)

    @rule()
    def restore(self) -> None:
        """The owner's node comes out of its backup; the others send again all that it should have."""
        node = self.air[OWNER]
        node.room, node.secrets, node.sent = self.backup[0], dict(self.backup[1]), set()
        self.works_with[OWNER] = {}
        for other in self.air.nodes.values():
            other.sent = {(to, what) for to, what in other.sent if to != OWNER}

    @rule()
    def send(self) -> None:
        self.air.send_all()

    @precondition(lambda self: self.air.under_way)
    @rule(at=places, again=st.booleans())
    def deliver(self, at: int, again: bool) -> None:
        self.air.deliver(at, again=again)

    @precondition(lambda self: self.air.under_way)
    @rule(at=places, count=st.integers(1, 6))
    def deliver_some(self, at: int, count: int) -> None:
        for _ in range(min(count, len(self.air.under_way))):
            self.air.deliver(at)

    @precondition(lambda self: self.air.under_way)
    @rule(at=places)
    def lose(self, at: int) -> None:
        self.air.lose(at)

    @rule(who=nodes)
    def fetch(self, who: str) -> None:
        self.air.fetch(who)

    @rule()
    def settle(self) -> None:
        self.air.settle()
        self.air.all_agree()

    @invariant()
    def two_keys_of_one_epoch_are_never_taken_silently(self) -> None:
        for me, node in self.air.nodes.items():
            if node.room.state != OPEN:
                continue
            epochs = {key.epoch: key.ck for key in node.room.line.keys}
            for epoch, ck in self.works_with[me].items():
                if epochs.get(epoch, ck) != ck:
                    self.was_decided(node.room, ck)
            self.works_with[me] |= epochs

    def was_decided(self, room: Room, former: str) -> None:
        """Another key in the place of one that was worked with: by everybody's agreement or a takeover, and the former is marked."""
        assert former in room.line.refused
        assert any(key.heals for key in room.line.keys) or TakenOver in room.line.refused.values()

    @invariant()
    def a_key_is_held_by_those_whom_a_list_gives_it_to(self) -> None:
        lists = {key for node in self.air.nodes.values() for key in node.room.facts if isinstance(key, CaseKey)}
        by_name = {key.ck: key for key in lists}
        for me, node in self.air.nodes.items():
            for key in (by_name[ck] for ck in node.secrets if ck in by_name):
                given = any(m.organisation == me and m.since <= key.epoch <= one.epoch for one in lists for m in one.members)
                assert given or key.issuer == me

    @invariant()
    def whoever_was_put_out_gets_nothing_later(self) -> None:
        for me, node in self.air.nodes.items():
            for message in self.messages:
                if node.reads(message):
                    key = node.room.key(message.named.ck)
                    since = [m.since for one in self.all_lists() for m in one.members if m.organisation == me and one.epoch >= key.epoch]
                    assert since
                    assert min(since) <= key.epoch

    def all_lists(self) -> list[CaseKey]:
        return [key for node in self.air.nodes.values() for key in node.room.facts if isinstance(key, CaseKey)]

    def teardown(self) -> None:
        if not hasattr(self, "air"):
            return
        self.air.settle()
        self.air.all_agree()
        self.order_does_not_matter()
        self.all_inside_read()

    def order_does_not_matter(self) -> None:
        for me, node in self.air.nodes.items():
            facts: list[Fact] = sorted(node.room.facts, key=repr)
            random.Random(len(facts)).shuffle(facts)
            again = Room(ROOM, me)
            for fact in facts:
                again = again.learns(fact)
            assert (again.state, again.line) == (node.room.state, node.room.line)

    def all_inside_read(self) -> None:
        """Each message of the common line is read by all in its list that are inside, and by those with a later grant."""
        for message in self.messages:
            for me, node in self.air.nodes.items():
                key = node.room.key(message.named.ck)
                if node.room.state == OPEN and key in node.room.line.keys and message in node.messages:
                    mine = [m.since for m in node.room.head.members if m.organisation == me]
                    if min(mine) <= key.epoch and self.held_by_somebody(key):
                        assert node.reads(message)

    def held_by_somebody(self, key: CaseKey) -> bool:
        """Whether the key is still somewhere inside: a restored owner may have lost the only copy."""
        leads = [node for node in self.air.nodes.values() if node.room.leads and node.room.state == OPEN]
        return any(key.ck in node.secrets for node in leads)


class RealRooms(Rooms):
    """With the real case keys."""

    make = staticmethod(casesecrets.made)


def run(machine: type[Rooms], examples: int, steps: int) -> None:
    health = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    how = settings(max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=health)
    run_state_machine_as_test(machine, settings=how)


def test_a_room_holds_together_whatever_the_network_and_its_owner_do() -> None:
    run(Rooms, 60, 30)


def test_it_does_with_real_case_keys() -> None:
    run(RealRooms, 5, 20)
