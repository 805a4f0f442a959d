"""Rooms with two truths: two lists, an owner restored from yesterday, a deputy that takes over; seen, frozen, mended or refused."""

from dataclasses import replace

import pytest

from fedcollab.base.errors import Refused
from fedcollab.sealing import acting, refusals
from fedcollab.sealing.casekeys import CaseKey, Member
from fedcollab.sealing.facts import Answer, Backed, Invited, Seen, organisations
from fedcollab.sealing.room_state import FROZEN, NOTHING, OPEN, OUT

from .simulated import DEPUTY, MINA, NODES, NOOR, OWNER, Air, begun, fresh, led_by, turn


@pytest.fixture
def air() -> Air:
    """A room of the owner, a deputy and Mina; Noor is not inside."""
    return begun()


def two_lists(air: Air) -> None:
    """The owner gives Mina a list in which Noor is as well, and the deputy one without."""
    room = air[OWNER].room
    honest, _ = air.make(acting.turn(room))
    ghost = replace(honest, members=(*honest.members, Member(NOOR, "", "member", fresh("mk"), honest.epoch)))
    air[OWNER].learns(honest)
    air[DEPUTY].learns(honest)
    air[MINA].learns(ghost)


def test_a_ghost_in_one_members_list_freezes_the_room_and_both_lists_are_shown(air: Air) -> None:
    two_lists(air)
    assert air[MINA].room.state == OPEN
    air[DEPUTY].takes(air[MINA].writes())
    assert air[DEPUTY].room.state == FROZEN
    air.settle()
    for me in (OWNER, DEPUTY, MINA):
        assert air[me].room.state == FROZEN
        assert {NOOR in organisations(key) for key in air[me].room.both} == {True, False}
        with pytest.raises(refusals.Frozen):
            air[me].writes()
        with pytest.raises(Refused):
            acting.turn(air[me].room)
    air.all_agree()


def test_a_freeze_ends_when_the_owner_names_both_and_everybody_else_agrees(air: Air) -> None:
    two_lists(air)
    air.settle()
    with pytest.raises(refusals.NotTheOwner):
        acting.heal(air[DEPUTY].room)
    heal = air[OWNER].issues(acting.heal(air[OWNER].room), air.make)
    air.settle()
    assert air[OWNER].room.lacking == {DEPUTY, MINA}
    with pytest.raises(refusals.NotFrozen):
        acting.agree(air[MINA].room, fresh("another"))
    air[MINA].learns(acting.agree(air[MINA].room, heal.ck))
    air.settle()
    assert air[OWNER].room.state == FROZEN
    air[DEPUTY].learns(acting.agree(air[DEPUTY].room, heal.ck))
    air.settle()
    assert {air[me].room.head for me in (OWNER, DEPUTY, MINA)} == {heal}
    assert NOOR not in organisations(heal)
    assert {air[me].room.state for me in (OWNER, DEPUTY, MINA)} == {OPEN}


def test_a_message_that_names_another_list_freezes_until_it_is_mended(air: Air) -> None:
    head = air[OWNER].room.head
    other = fresh("another list")
    air[OWNER].learns(Seen(MINA, head.epoch, other))
    assert air[OWNER].room.line.disputed == {head.ck, other}
    heal = air[OWNER].issues(acting.heal(air[OWNER].room), air.make)
    air.deliver_all()
    for me in (DEPUTY, MINA):
        air[me].learns(acting.agree(air[me].room, heal.ck))
    air.settle()
    assert {air[me].room.head for me in (OWNER, DEPUTY, MINA)} == {heal}


def test_an_owner_restored_from_yesterday_freezes_and_is_healed(air: Air) -> None:
    yesterday = air[OWNER].room, dict(air[OWNER].secrets)
    turn(air)
    turn(air)
    air.settle()
    lost = air[MINA].writes()
    air[OWNER].room, air[OWNER].secrets = yesterday[0], yesterday[1]
    turn(air)
    for node in air.nodes.values():
        node.sent = {(to, what) for to, what in node.sent if to != OWNER}
    air[OWNER].sent = set()
    air.settle()
    air.all_agree()
    assert {air[me].room.state for me in (OWNER, DEPUTY, MINA)} == {FROZEN}
    heal = air[OWNER].issues(acting.heal(air[OWNER].room), air.make)
    air.deliver_all()
    for me in (DEPUTY, MINA):
        air[me].learns(acting.agree(air[me].room, heal.ck))
    air.settle()
    assert {air[me].room.head for me in (OWNER, DEPUTY, MINA)} == {heal}
    assert heal.prev == lost.named.ck  # it stands on the longer side
    assert {me for me in NODES if air[me].reads(lost)} == {OWNER, DEPUTY, MINA}


def taken_over(air: Air) -> None:
    """The deputy takes over with Mina's word."""
    with pytest.raises(refusals.NotBacked):
        acting.take_over(air[DEPUTY].room)
    word = acting.back(air[MINA].room, DEPUTY)
    air[MINA].learns(word)
    air[DEPUTY].learns(word)
    air[DEPUTY].issues(acting.take_over(air[DEPUTY].room), air.make)


def test_a_deputy_takes_over_with_another_members_word_and_hands_back(air: Air) -> None:
    taken_over(air)
    late, _ = air.make(acting.turn(air[OWNER].room))
    air.settle()
    assert {air[me].room.owner for me in (OWNER, DEPUTY, MINA)} == {DEPUTY}
    for me in (DEPUTY, MINA):
        air[me].learns(late)
        assert air[me].room.line.refused[late.ck] is refusals.TakenOver
        assert air[me].room.state == OPEN
    with pytest.raises(refusals.NotTheOwner):
        turn(air)
    air[DEPUTY].issues(acting.turn(air[DEPUTY].room, deputies=(OWNER,)), air.make)
    air[DEPUTY].issues(acting.turn(air[DEPUTY].room, to=OWNER), air.make)
    air.settle()
    assert {air[me].room.owner for me in (OWNER, DEPUTY, MINA)} == {OWNER}
    turn(air)
    air.settle()
    assert air[MINA].room.head == air[OWNER].room.head


@pytest.mark.parametrize("backer", [OWNER, DEPUTY, NOOR])
def test_a_takeover_takes_another_members_word(air: Air, backer: str) -> None:
    head = air[DEPUTY].room.head
    air[DEPUTY].learns(Backed(backer, DEPUTY, head.ck))
    with pytest.raises(refusals.NotBacked):
        acting.take_over(air[DEPUTY].room)
    plan = replace(head, epoch=head.epoch + 1, prev=head.ck, issuer=DEPUTY, members=led_by(head.members, DEPUTY))
    air[MINA].learns(Backed(backer, DEPUTY, head.ck), plan)
    assert air[MINA].room.line.refused == {plan.ck: refusals.NotTheOwner}
    air[MINA].learns(Backed(MINA, DEPUTY, head.ck))
    assert air[MINA].room.head == plan


def test_a_takeover_beside_a_key_that_somebody_uses_freezes(air: Air) -> None:
    turn(air)
    key = air[OWNER].room.head
    taken_over(air)
    air[MINA].learns(key)  # while the takeover is under way
    air.settle()
    air.all_agree()
    assert {air[me].room.state for me in (OWNER, DEPUTY, MINA)} == {FROZEN}
    heal = air[DEPUTY].issues(acting.heal(air[DEPUTY].room), air.make)
    air.settle()
    for me in (OWNER, MINA):
        air[me].learns(acting.agree(air[me].room, heal.ck))
    air.settle()
    assert {air[me].room.owner for me in (OWNER, DEPUTY, MINA)} == {DEPUTY}


def test_a_former_owner_can_be_put_out_by_a_takeover(air: Air) -> None:
    word = acting.back(air[MINA].room, DEPUTY)
    air[DEPUTY].learns(word)
    air[DEPUTY].issues(acting.take_over(air[DEPUTY].room, out=True), air.make)
    air.settle()
    assert air.states() == {OWNER: OUT, DEPUTY: OPEN, MINA: OPEN, NOOR: NOTHING}
    later = air[MINA].writes()
    air.settle()
    assert not air[OWNER].reads(later)


def test_nobody_leads_a_member_over_into_another_line_of_its_room(air: Air) -> None:
    """Mina is inside by the owner's invitation; Noor invites her to the same room, with a list of its own that is older."""
    asked = Invited(fresh("invitation"), NOOR, MINA, "", "member")
    air[MINA].learns(asked)
    with pytest.raises(refusals.InsideAlready):
        acting.accept(air[MINA].room, asked.id, fresh("mk"))
    before, head = air[MINA].room.line.keys, air[MINA].room.head
    lured = air[MINA].room.learns(Answer(asked.id, MINA, other := fresh("mk")))  # as if a person had said yes all the same
    mine = next(member.mk for member in head.members if member.organisation == MINA)
    members = (Member(NOOR, "", "owner", fresh("mk"), 1), Member(MINA, "", "member", mine, 1))
    trap = CaseKey(head.room, 1, "", NOOR, members, (), head.commit)
    assert lured.learns(trap).line.keys == before
    assert air[MINA].room.learns(trap).line.keys == before
    assert other not in {member.mk for member in lured.learns(trap).head.members}


def test_who_has_left_may_come_back_by_anybody_who_leads(air: Air) -> None:
    air[MINA].learns(acting.leave(air[MINA].room))
    air.settle()
    air.join(MINA)
    assert air[MINA].room.state == OPEN
    asked = invited_twice(air)
    assert acting.accept(air[NOOR].room, asked, fresh("mk")).by == NOOR


def invited_twice(air: Air) -> str:
    """The owner invites Noor, who has not been inside."""
    one = acting.invite(air[OWNER].room, fresh("invitation"), NOOR, has_key=True)
    air[OWNER].learns(one)
    air.deliver_all()
    return one.id
