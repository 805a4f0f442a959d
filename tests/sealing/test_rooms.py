"""Rooms: who comes in, goes and leads, how a key is turned, and what happens when a room has two truths."""

from dataclasses import replace

import pytest

from fedcollab.sealing import acting, handing, refusals
from fedcollab.sealing.casekeys import Member
from fedcollab.sealing.facts import Closed, Invited, Removed, Seen
from fedcollab.sealing.handing import Named
from fedcollab.sealing.room_state import CLOSED, NOTHING, OPEN, OUT, PURGED
from fedcollab.sealing.turning import changes

from .simulated import DEPUTY, MINA, NODES, NOOR, OWNER, Air, begun, fresh, led_by, turn


@pytest.fixture
def air() -> Air:
    """A room of the owner, a deputy and Mina; Noor is not inside."""
    return begun()


def invited(air: Air, who: str) -> str:
    """Invites somebody; answers the invitation's id."""
    one = acting.invite(air[OWNER].room, fresh("invitation"), who, has_key=True)
    air[OWNER].learns(one)
    air.deliver_all()
    return one.id


def test_who_was_invited_and_says_yes_is_inside_and_reads_from_then_on(air: Air) -> None:
    before = air[OWNER].writes()
    air.join(NOOR)
    after = air[MINA].writes()
    air.settle()
    assert air.states() == dict.fromkeys(NODES, OPEN)
    assert {me for me in NODES if air[me].reads(after)} == set(NODES)
    assert {me for me in NODES if air[me].reads(before)} == {OWNER, DEPUTY, MINA}
    assert air[OWNER].room.seen == dict.fromkeys(NODES, air[OWNER].room.head.ck)
    assert not air[MINA].room.unconfirmed


def test_a_grant_opens_the_history_from_an_epoch_on(air: Air) -> None:
    before = air[OWNER].writes()
    air.join(NOOR)
    air[OWNER].learns(acting.grant(air[OWNER].room, NOOR, before.named.epoch))
    air.settle()
    assert air[NOOR].reads(replace(before))
    older = [key for key in air[OWNER].room.line.keys if key.epoch < before.named.epoch]
    assert older
    for key in older:
        with pytest.raises(refusals.NotInside):
            handing.entitled(air[OWNER].room, NOOR, key)


def test_who_says_no_or_was_not_waited_for_leaves_nothing(air: Air) -> None:
    asked = invited(air, NOOR)
    air[NOOR].learns(acting.decline(air[NOOR].room, asked))
    air.settle()
    assert air[NOOR].room.state == NOTHING
    assert NOOR not in air[OWNER].room.inside
    with pytest.raises(refusals.Answered):
        acting.accept(air[NOOR].room, asked, fresh("mk"))
    again = invited(air, NOOR)
    air[OWNER].learns(acting.withdraw(air[OWNER].room, again))
    air[NOOR].learns(acting.accept(air[NOOR].room, again, fresh("mk")))  # while the withdrawal is under way
    air.settle()
    assert air[NOOR].room.state == NOTHING
    assert NOOR not in air[OWNER].room.inside
    with pytest.raises(refusals.NoInvitation):
        acting.accept(air[NOOR].room, again, fresh("mk"))
    with pytest.raises(refusals.NoInvitation):
        acting.decline(air[NOOR].room, "https://owner.example/invitations/none")


def test_an_invitation_that_was_answered_is_not_withdrawn(air: Air) -> None:
    asked = invited(air, NOOR)
    air[NOOR].learns(acting.accept(air[NOOR].room, asked, fresh("mk")))
    air.deliver_all()
    with pytest.raises(refusals.Answered):
        acting.withdraw(air[OWNER].room, asked)
    with pytest.raises(refusals.InsideAlready):
        acting.invite(air[OWNER].room, fresh("invitation"), NOOR, has_key=True)


@pytest.mark.rule("P15")
def test_who_has_no_key_is_not_invited(air: Air) -> None:
    with pytest.raises(refusals.NoKey):
        acting.invite(air[OWNER].room, fresh("invitation"), NOOR, has_key=False)
    assert acting.invite(air[OWNER].room, fresh("invitation"), NOOR, has_key=True).organisation == NOOR


@pytest.mark.parametrize("way", ["leave", "remove"])
def test_who_has_gone_is_handed_nothing_even_before_the_key_is_turned(air: Air, way: str) -> None:
    head = air[OWNER].room.head
    assert head is not None
    assert handing.entitled(air[OWNER].room, MINA, head)
    if way == "leave":
        air[MINA].learns(acting.leave(air[MINA].room))
        air.deliver_all()
    else:
        air[OWNER].learns(acting.remove(air[OWNER].room, MINA))
    with pytest.raises(refusals.NotInside):
        handing.entitled(air[OWNER].room, MINA, head)
    assert changes(air[OWNER].room)
    air.settle()
    assert air[MINA].room.state == OUT
    later = air[OWNER].writes()
    air.settle()
    assert {me for me in NODES if air[me].reads(later)} == {OWNER, DEPUTY}
    with pytest.raises(refusals.Outside):
        air[MINA].writes()


def test_who_has_gone_comes_back_by_a_new_yes_and_reads_nothing_of_between(air: Air) -> None:
    air[MINA].learns(acting.leave(air[MINA].room))
    air.settle()
    between = air[OWNER].writes()
    air.join(MINA)
    assert air[MINA].room.state == OPEN
    air.settle()
    assert not air[MINA].reads(between)
    after = air[OWNER].writes()
    air.settle()
    assert air[MINA].reads(after)


def test_a_key_is_turned_for_a_members_new_one(air: Air) -> None:
    assert not changes(air[OWNER].room)
    air[MINA].learns(acting.rekey(air[MINA].room, new := fresh("mk")))
    air.deliver_all()
    assert changes(air[OWNER].room)
    air.settle()
    assert new in {member.mk for member in air[DEPUTY].room.head.members}
    assert air[MINA].room.state == OPEN


def test_only_the_owner_invites_removes_and_turns(air: Air) -> None:
    room = air[MINA].room
    for act in [
        lambda: acting.invite(room, fresh("invitation"), NOOR, has_key=True),
        lambda: acting.remove(room, DEPUTY),
        lambda: acting.grant(room, MINA, 1),
        lambda: acting.turn(room),
        lambda: acting.close(room),
    ]:
        with pytest.raises(refusals.NotTheOwner):
            act()
    with pytest.raises(refusals.NotDeputy):
        acting.take_over(room)
    with pytest.raises(refusals.NotFrozen):
        acting.heal(air[OWNER].room)
    with pytest.raises(refusals.NotTheOwner):
        acting.leave(air[OWNER].room)


def test_a_case_key_that_the_owner_has_not_issued_is_refused(air: Air) -> None:
    head = air[MINA].room.head
    forged = replace(head, epoch=head.epoch + 1, prev=head.ck, issuer=DEPUTY)
    air[MINA].learns(forged)
    assert air[MINA].room.line.refused == {forged.ck: refusals.NotTheOwner}
    assert air[MINA].room.state == OPEN
    turn(air)
    air.settle()
    assert air[MINA].room.head == air[OWNER].room.head


def test_a_list_that_names_us_without_our_yes_is_refused(air: Air) -> None:
    head = air[OWNER].room.head
    ghost = replace(head, members=(*head.members, Member(NOOR, "", "member", fresh("mk"), head.epoch)))
    air[NOOR].learns(ghost)
    assert air[NOOR].room.state == NOTHING
    assert air[NOOR].room.line.refused == {ghost.ck: refusals.NotAsked}
    swapped = replace(head, epoch=head.epoch + 1, prev=head.ck, members=_with_key(head.members, MINA, fresh("mk")))
    air[MINA].learns(swapped)
    assert air[MINA].room.head == head
    assert air[MINA].room.line.refused == {swapped.ck: refusals.NotAsked}


def _with_key(members: tuple[Member, ...], who: str, mk: str) -> tuple[Member, ...]:
    return tuple(replace(member, mk=mk) if member.organisation == who else member for member in members)


def test_a_member_whose_own_yes_is_not_here_is_shown(air: Air) -> None:
    head = air[OWNER].room.head
    ghost = Member(NOOR, "", "member", fresh("mk"), head.epoch + 1)
    air[MINA].learns(replace(head, epoch=head.epoch + 1, prev=head.ck, members=(*head.members, ghost)))
    assert air[MINA].room.unconfirmed == {ghost}


def test_who_is_outside_freezes_nothing(air: Air) -> None:
    head = air[OWNER].room.head
    air[OWNER].learns(Seen(NOOR, head.epoch, fresh("another list")))
    assert air[OWNER].room.state == OPEN
    with pytest.raises(refusals.NotInside):
        handing.taken(air[OWNER].room, Named(NOOR, head.epoch, head.ck))
    with pytest.raises(refusals.NotInside):
        handing.taken(air[OWNER].room, Named(NOOR, head.epoch + 1, fresh("later")))
    with pytest.raises(refusals.NotInside):  # an epoch that this list is not of
        handing.taken(air[OWNER].room, Named(MINA, head.epoch + 1, head.ck))


def test_a_message_of_an_epoch_that_is_not_here_waits_for_it(air: Air) -> None:
    turn(air)
    message = air[OWNER].writes()
    air[MINA].takes(message)
    assert handing.taken(air[MINA].room, message.named) == handing.WAITS
    assert not air[MINA].reads(message)
    air.settle()
    assert air[MINA].reads(message)


def test_a_room_is_closed_and_purged_by_its_owner_alone(air: Air) -> None:
    air[OWNER].learns(acting.close(air[OWNER].room))
    air.settle()
    assert air[MINA].room.state == CLOSED
    with pytest.raises(refusals.Ended):
        air[MINA].writes()
    with pytest.raises(refusals.NotTheOwner):
        acting.close(air[MINA].room, purged=True)
    air[OWNER].learns(acting.close(air[OWNER].room, purged=True))
    air.settle()
    assert {air[me].room.state for me in (OWNER, DEPUTY, MINA)} == {PURGED}


def test_a_former_owner_ends_nothing_any_more(air: Air) -> None:
    air[OWNER].issues(acting.turn(air[OWNER].room, to=DEPUTY), air.make)
    air.settle()
    for purged in (False, True):
        air[OWNER].learns(Closed(OWNER, purged))
    air.settle()
    assert {air[me].room.state for me in (OWNER, DEPUTY, MINA)} == {OPEN}
    air[DEPUTY].learns(acting.close(air[DEPUTY].room, purged=True))
    air.settle()
    assert {air[me].room.state for me in (OWNER, DEPUTY, MINA)} == {PURGED}


def test_people_are_named_one_by_one_and_go_one_by_one() -> None:
    air = Air()
    anna, ben = MINA + "/anna", MINA + "/ben"
    for person in (anna, ben):
        one = acting.invite(air[OWNER].room, fresh("invitation"), MINA, person, has_key=True)
        air[OWNER].learns(one)
        air.deliver_all()
        air[MINA].learns(acting.accept(air[MINA].room, one.id, fresh("mk")))
    air.settle()
    head = air[OWNER].room.head
    assert {member.person for member in head.members} == {"", anna, ben}
    assert len(handing.entitled(air[OWNER].room, MINA, head)) == 2
    air[MINA].learns(acting.leave(air[MINA].room, anna))
    air.deliver_all()
    assert len(handing.entitled(air[OWNER].room, MINA, head)) == 1
    air.settle()
    assert {member.person for member in air[OWNER].room.head.members} == {"", ben}
    assert air[MINA].room.state == OPEN
    with pytest.raises(refusals.NotInside):
        acting.leave(air[MINA].room, anna)


def test_a_strangers_word_neither_removes_nor_invites(air: Air) -> None:
    mk = next(member.mk for member in air[MINA].room.head.members if member.organisation == MINA)
    forged = replace(air[MINA].room.head, issuer=DEPUTY, members=led_by(air[MINA].room.head.members, DEPUTY))
    head = air[MINA].room.head.ck
    air[MINA].learns(forged, Removed(NOOR, MINA, mk, head), Removed(DEPUTY, MINA, mk, head), Removed(DEPUTY, MINA, mk, forged.ck))
    assert air[MINA].room.state == OPEN
    air[MINA].learns(Removed(OWNER, MINA, mk, head))
    assert air[MINA].room.state == OUT
    air[NOOR].learns(one := Invited(fresh("invitation"), MINA, NOOR, "", "member"))
    air[NOOR].learns(acting.accept(air[NOOR].room, one.id, key := fresh("mk")))
    head = air[OWNER].room.head
    air[NOOR].learns(replace(head, members=(*head.members, Member(NOOR, "", "member", key, head.epoch))))
    assert air[NOOR].room.state == NOTHING  # the list is not of whoever has invited
