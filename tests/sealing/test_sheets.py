"""Sheets: two of three open the organisation's key, they count once they were tried, and their use is told."""

from itertools import permutations

import pytest

from fedcollab.access import audit
from fedcollab.access.viewer import ADMIN, MEMBER
from fedcollab.features.members import service as members
from fedcollab.sealing import keepers, opening, organisation, sheets, wraps
from fedcollab.sealing.ring import Ring
from tests.rows import refused

from .keeping import Office, office


def stands(at: Office) -> str:
    return opening.state(organisation.facts(at.session, at.node))


def test_sheets_count_once_any_two_of_them_have_opened_the_key(ring: Ring) -> None:
    with office(ring) as at:
        at.begin()
        assert stands(at) == opening.SETTING_UP
        made, ilse = at.print_sheets(), at.people["ilse"]
        assert stands(at) == opening.ONE_KEEPER
        for one, other in permutations(made, 2):
            sheets.try_two(at.session, at.node, ilse, one, other)
        assert stands(at) == opening.OPEN
        assert audit.newest(at.session, 1)[0].action == "sheets.try"


def test_sheets_of_another_set_or_one_sheet_twice_try_nothing(ring: Ring) -> None:
    with office(ring) as at:
        at.begin()
        old, ilse = at.print_sheets(), at.people["ilse"]
        new = at.print_sheets()
        for pair in ((old[0], old[1]), (old[0], new[1]), (new[2], old[1])):
            assert "newest set" in refused(at.session, sheets.try_two, at.session, at.node, ilse, *pair)
        assert "same sheet twice" in refused(at.session, sheets.try_two, at.session, at.node, ilse, new[0], new[0])
        assert stands(at) == opening.ONE_KEEPER
        sheets.try_two(at.session, at.node, ilse, new[2], new[0])
        assert stands(at) == opening.OPEN


def test_new_sheets_destroy_what_the_old_ones_opened_and_have_to_be_tried_again(ring: Ring) -> None:
    with office(ring) as at:
        at.begin()
        first = at.print_sheets()
        sheets.try_two(at.session, at.node, at.people["ilse"], *first[:2])
        before = sheets.state(at.session)
        assert before is not None
        at.print_sheets()
        assert stands(at) == opening.ONE_KEEPER
        with ring.look() as look:
            assert wraps.sheet_boxes(look, before.kid) == {}
            assert wraps.wraps_to(look, before.kid) == {}
            assert wraps.is_destroyed(look, f"rk:{before.kid}")


def test_a_page_loaded_again_makes_no_second_set(ring: Ring) -> None:
    with office(ring) as at:
        at.begin()
        made, ilse, mine = at.print_sheets(), at.people["ilse"], at.keys["ilse"]
        for seen in ("", "another"):
            assert "made meanwhile" in refused(at.session, sheets.make, at.session, at.node, ilse, mine, seen)
        sheets.try_two(at.session, at.node, ilse, *made[1:])


def test_only_who_holds_the_key_makes_sheets(ring: Ring) -> None:
    with office(ring) as at:
        at.begin()
        mila = at.join("mila", ADMIN, MEMBER)
        keepers.name(at.session, at.node, at.people["ilse"], mila.person_id)
        assert "not been handed to you" in refused(at.session, sheets.make, at.session, at.node, mila, at.keys["mila"], "")
        assert sheets.state(at.session) is None


@pytest.mark.rule("P28")
def test_when_no_keeper_is_left_two_sheets_give_the_keys_to_the_next_and_that_is_told(ring: Ring) -> None:
    with office(ring) as at:
        at.begin()
        made = at.print_sheets()
        before, mila = set(organisation.kids(at.session, at.node)), at.join("mila", ADMIN, MEMBER)
        members.disable(at.session, at.node, mila, at.people["ilse"].person_id)
        assert stands(at) == opening.SHUT
        assert organisation.holders(at.session) == {}
        assert "name you a keeper first" in refused(at.session, sheets.use, at.session, at.node, mila, *made[:2])
        keepers.name(at.session, at.node, mila, mila.person_id)
        assert "newest set" in refused(at.session, sheets.use, at.session, at.node, mila, made[0], wrong(made[1]))
        sheets.use(at.session, at.node, mila, made[2], made[0])
        found = organisation.opened(at.session, at.node, at.keys["mila"])
        assert before < set(found), "the keys from before, and the one that was made as the last keeper left"
        used = sheets.state(at.session)
        assert used is not None
        assert (used.used_at, used.used_by) == (at.node.now(), "Mila")
        assert audit.newest(at.session, 1)[0].action == "sheets.use"


def wrong(sheet: sheets.Sheet) -> sheets.Sheet:
    return sheets.Sheet(sheet.number, bytes(16))


def test_sheets_give_nothing_to_anybody_while_a_keeper_holds_the_key(ring: Ring) -> None:
    with office(ring) as at:
        at.begin()
        made, ruth = at.print_sheets(), at.join("ruth")
        keepers.name(at.session, at.node, at.people["ilse"], ruth.person_id)
        assert "Other keepers hold" in refused(at.session, sheets.use, at.session, at.node, ruth, *made[:2])
        assert at.boxes_to("ruth") == set()
        used = sheets.state(at.session)
        assert used is not None
        assert used.used_at is None
