"""Keepers: who may name them, who holds the key, and that whoever leaves holds nothing from that moment on."""

from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.viewer import ADMIN, CASEWORKER, MEMBER, MODERATOR
from fedcollab.actors import service as actors
from fedcollab.actors.node import NoRing
from fedcollab.app import FEATURES
from fedcollab.base.errors import Unavailable
from fedcollab.features.members import service as members
from fedcollab.federation import profiles, succession
from fedcollab.sealing import boxes, keepers, opening, organisation, wraps
from fedcollab.sealing.keeping_models import Keeper
from fedcollab.sealing.ring import Ring
from tests.rows import quick_keys, refused

from .keeping import Office, office


def stands(at: Office) -> str:
    return opening.state(organisation.facts(at.session, at.node))


def published(at: Office) -> object:
    return (profiles.stored_document(at.session, actors.own(at.session, at.node).id) or {}).get("fc:organisationKey")


def test_the_first_keeper_is_named_by_an_admin_makes_the_key_and_names_the_next(ring: Ring) -> None:
    with office(ring) as at:
        assert (stands(at), published(at)) == (opening.OFF, None)
        at.begin()
        key = organisation.current(at.session, at.node)
        assert key is not None
        assert published(at) == key.document()
        assert boxes.published(published(at)) == key
        ruth = at.second()
        assert set(organisation.holders(at.session)) == {at.people["ilse"].person_id, ruth.person_id}
        for name in ("ilse", "ruth"):
            found = organisation.opened(at.session, at.node, at.keys[name])
            assert [one.public.kid for one in found.values()] == [key.kid]
        assert [one.action for one in audit.newest(at.session, 4)][:3] == ["keeper.hand", "keeper.name", "member.add"]


@pytest.mark.rule("P5", "AUTH-09")
def test_an_admin_opens_nothing_and_names_nobody_once_somebody_holds_the_key(ring: Ring) -> None:
    with office(ring) as at:
        at.begin()
        mila = at.join("mila", ADMIN, MODERATOR, MEMBER, CASEWORKER)
        before = at.boxes_to("ilse")
        assert "named by keepers" in refused(at.session, keepers.name, at.session, at.node, mila, mila.person_id)
        assert "removed by keepers" in refused(at.session, keepers.remove, at.session, at.node, mila, at.people["ilse"].person_id)
        assert "not been handed to you" in refused(at.session, organisation.opened, at.session, at.node, at.keys["mila"])
        assert "page Keepers" in refused(at.session, members.set_roles, at.session, at.node, mila, mila.person_id, ["keeper"])
        assert "admin has to name you" in refused(at.session, keepers.begin, at.session, at.node, mila)
        assert (at.boxes_to("mila"), at.boxes_to("ilse")) == (set(), before)
        keepers.name(at.session, at.node, at.people["ilse"], mila.person_id)
        assert at.boxes_to("mila") == set(), "being named opens nothing"
        assert "not been handed to you" in refused(at.session, organisation.opened, at.session, at.node, at.keys["mila"])
        ruth = at.join("ruth")
        assert "named by keepers" in refused(at.session, keepers.name, at.session, at.node, mila, ruth.person_id)
        keepers.hand(at.session, at.node, at.people["ilse"], at.keys["ilse"], mila.person_id, at.kid("mila"))
        assert at.boxes_to("mila") == before
        keepers.name(at.session, at.node, mila, ruth.person_id)


def test_who_is_named_before_they_have_a_key_gets_the_organisations_later(ring: Ring) -> None:
    with office(ring) as at:
        at.begin()
        ruth, ilse = at.join("ruth", key=False), at.people["ilse"]
        keepers.name(at.session, at.node, ilse, ruth.person_id)
        assert "Ruth has no key yet" in refused(at.session, keepers.hand, at.session, at.node, ilse, at.keys["ilse"], ruth.person_id, "")
        assert [(one.holds, one.ready) for one in keepers.listed(at.session)] == [(True, True), (False, False)]
        at.new_key("ruth")
        other = at.kid("ilse")
        assert "another one by now" in refused(at.session, keepers.hand, at.session, at.node, ilse, at.keys["ilse"], ruth.person_id, other)
        assert at.boxes_to("ruth") == set()
        keepers.hand(at.session, at.node, ilse, at.keys["ilse"], ruth.person_id, at.kid("ruth"))
        assert at.boxes_to("ruth") == at.boxes_to("ilse")
        assert "keeper already" in refused(at.session, keepers.name, at.session, at.node, ilse, ruth.person_id)


@pytest.mark.rule("P28")
def test_disabling_a_keeper_ends_what_they_hold_and_turns_the_key_with_nobody_unlocked(ring: Ring) -> None:
    with office(ring) as at:
        at.begin()
        at.print_sheets()
        ruth = at.second()
        old = organisation.current(at.session, at.node)
        assert old is not None
        stolen = at.boxes_to("ruth")
        assert stolen
        members.disable(at.session, at.node, None, ruth.person_id)
        new = organisation.current(at.session, at.node)
        assert new is not None
        assert new.kid != old.kid
        assert published(at) == new.document(), "partners seal to the new one"
        assert at.boxes_to("ruth") == set()
        assert not members.find(at.session, "ruth").keeper
        found = organisation.opened(at.session, at.node, at.keys["ilse"])
        assert list(found) == [new.kid, old.kid], "what was sealed to the old one opens for those who stay"
        with ring.look() as look:
            assert all(at.keys["ruth"].public.kid not in wraps.wraps_of(look, of) for of in stolen)
            recovery = organisation.recovery(at.session)
            assert recovery is not None
            assert set(wraps.wraps_to(look, recovery.kid)) == {f"ok:{new.kid}", f"ok:{old.kid}"}, "and for the sheets"
        assert stands(at) == opening.ONE_KEEPER
        at.second("amal")
        assert at.boxes_to("amal") == {f"ok:{new.kid}", f"ok:{old.kid}"}, "a newcomer reads what was before"


def test_disabling_somebody_else_turns_no_key(ring: Ring) -> None:
    with office(ring) as at:
        at.begin()
        before = organisation.current(at.session, at.node)
        members.disable(at.session, at.node, None, at.join("ruth").person_id)
        assert organisation.current(at.session, at.node) == before


def test_a_removed_keeper_stays_a_member_and_the_last_one_is_not_removed_by_hand(ring: Ring) -> None:
    with office(ring) as at:
        at.begin()
        ruth, ilse = at.second(), at.people["ilse"]
        keepers.remove(at.session, at.node, ruth, ruth.person_id)
        assert at.boxes_to("ruth") == set()
        assert members.find(at.session, "ruth").disabled_at is None
        before = organisation.current(at.session, at.node)
        assert "last keeper" in refused(at.session, keepers.remove, at.session, at.node, ilse, ilse.person_id)
        assert organisation.current(at.session, at.node) == before
        at.second("amal")
        keepers.remove(at.session, at.node, at.people["amal"], ilse.person_id)
        assert at.boxes_to("ilse") == set()


def test_the_first_keeper_gone_before_there_are_sheets_leaves_cases_off_for_the_next_first_one(ring: Ring) -> None:
    with office(ring) as at:
        at.begin()
        mila = at.join("mila", ADMIN, MEMBER)
        members.disable(at.session, at.node, mila, at.people["ilse"].person_id)
        assert (stands(at), published(at), organisation.current(at.session, at.node)) == (opening.OFF, None, None)
        keepers.name(at.session, at.node, mila, mila.person_id)
        keepers.begin(at.session, at.node, mila)
        assert stands(at) == opening.SETTING_UP
        assert "has a key already" in refused(at.session, keepers.begin, at.session, at.node, mila)


def test_a_keeper_whose_own_key_is_another_one_holds_nothing_until_it_is_handed_again(ring: Ring) -> None:
    with office(ring) as at:
        at.begin()
        ruth = at.second()
        at.clock.at += 1
        at.new_key("ruth")  # as after a reset without the recovery code: it waits for a keeper
        assert set(organisation.holders(at.session)) == {at.people["ilse"].person_id}
        assert [(one.name, one.holds, one.ready) for one in keepers.listed(at.session)] == [("Ilse", True, True), ("Ruth", False, False)]
        assert "Ruth has no key yet" in refused(
            at.session, keepers.hand, at.session, at.node, at.people["ilse"], at.keys["ilse"], ruth.person_id, at.kid("ruth")
        )


def test_a_node_out_of_a_backup_turns_the_key_and_knows_that_its_sheets_are_gone(ring: Ring) -> None:
    with office(ring) as at:
        at.begin()
        at.print_sheets()
        old, recovery = organisation.current(at.session, at.node), organisation.recovery(at.session)
        assert old is not None
        assert recovery is not None
        organisation.begin_anew(at.session, at.node, 0)
        new = organisation.current(at.session, at.node)
        assert new is not None
        assert new.kid != old.kid
        assert organisation.recovery(at.session) == recovery
        with ring.begin() as put:
            wraps.destroy(put, f"rk:{recovery.kid}", 1)
        organisation.begin_anew(at.session, at.node, 0)
        assert organisation.recovery(at.session) is None
        assert stands(at) == opening.SETTING_UP


@pytest.mark.rule("P11")
def test_a_keeper_who_was_removed_does_not_come_back_with_an_older_backup(ring: Ring) -> None:
    [part] = [feature.erasures for feature in FEATURES if feature.name == "keeping" and feature.erasures]
    with office(ring) as at:
        at.begin()
        ruth, amal = at.second("ruth"), at.second("amal")
        since = at.clock.at
        rows = at.session.execute(sa.select(Keeper.__table__)).mappings().all()
        for one in (ruth, amal):
            keepers.remove(at.session, at.node, at.people["ilse"], one.person_id)
        keepers.name(at.session, at.node, at.people["ilse"], amal.person_id)
        assert part.listed(at.session, since) == [ruth.person_id], "who was named again is one"
        at.session.execute(sa.delete(Keeper))
        at.session.execute(sa.insert(Keeper), [dict(row) for row in rows])  # as the older backup has them
        organisation.begin_anew(at.session, at.node, since)
        part.replay(at.session, at.node, ruth.person_id)
        assert ruth.person_id not in organisation.holders(at.session)
        assert at.boxes_to("ruth") == set()
        assert at.people["ilse"].person_id in organisation.holders(at.session)
        assert refused(at.session, part.replay, at.session, at.node, ruth.person_id)


def test_the_organisations_key_and_its_signing_keys_change_without_forgetting_each_other(ring: Ring) -> None:
    with office(ring) as at:
        at.begin()
        me = actors.own(at.session, at.node)
        key = published(at)
        with quick_keys():
            succession.rotate(at.session, at.node, None)
        assert published(at) == key
        organisation.turn(at.session, at.node)
        coming = (profiles.stored_document(at.session, me.id) or {}).get("fc:successor")
        assert coming, "the successor of the signing keys is still announced"
        assert published(at) not in (None, key)


@pytest.mark.rule("P28")
def test_an_account_ends_also_while_the_key_ring_is_busy_and_the_key_is_turned_a_minute_later(ring: Ring) -> None:
    with office(ring) as at:
        at.begin()
        ruth, before = at.second(), organisation.current(at.session, at.node)
        busy = replace(at.node, ring=Busy())
        members.disable(at.session, busy, None, ruth.person_id)
        assert members.find(at.session, "ruth").disabled_at is not None
        assert set(organisation.holders(at.session)) == {at.people["ilse"].person_id}
        assert organisation.current(at.session, at.node) == before
        keepers.end_left(at.session, at.node)
        assert organisation.current(at.session, at.node) not in (None, before)
        assert at.boxes_to("ruth") == set()


class Busy(NoRing):
    """A key ring that others don't leave."""

    def begin(self) -> AbstractContextManager[sa.Connection]:
        raise Unavailable(reason="the key ring is busy")
