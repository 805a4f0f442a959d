"""Whatever keepers do, in whatever order: rows and key ring agree, who left opens nothing, and what is said to open does."""

import contextlib
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fedcollab.access.viewer import ADMIN, MEMBER
from fedcollab.base.errors import Refused
from fedcollab.base.migrate import RING, migrate
from fedcollab.base.statements import part
from fedcollab.features.members import service as members
from fedcollab.sealing import keepers, opening, organisation, papers, people, sheets, wraps
from fedcollab.sealing.boxes import Private
from fedcollab.sealing.ring import Ring

from .keeping import UNLOCK, Office, office

NAMES = ("ilse", "ruth", "amal")
KINDS = ("name", "hand", "remove", "disable", "print_sheets", "try_sheets", "use_sheets", "renew")
ACTS = st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(NAMES)), max_size=12)


class Desk:
    """An office with the sheets that were printed, and those whose accounts have ended."""

    def __init__(self, at: Office) -> None:
        self.at, self.papers, self.ended = at, list(papers.make_sheets()), set[str]()
        self.admin = at.join("mila", ADMIN, MEMBER)
        for name in NAMES:
            at.join(name)
        keepers.name(at.session, at.node, self.admin, at.people["ilse"].person_id)
        keepers.begin(at.session, at.node, at.people["ilse"])

    def holder(self) -> str:
        """The name of somebody who holds the key; else of the admin."""
        held = organisation.holders(self.at.session)
        return next((name for name in NAMES if self.at.people[name].person_id in held), "mila")

    def do(self, act: str, name: str) -> None:
        """One act, by whoever may; refused ones change nothing."""
        with contextlib.suppress(Refused), part(self.at.session):
            getattr(self, act)(name)

    def name(self, name: str) -> None:
        keepers.name(self.at.session, self.at.node, self.at.people[self.holder()], self.at.people[name].person_id)

    def hand(self, name: str) -> None:
        by = self.holder()
        mine, person_id = self.at.keys[by], self.at.people[name].person_id
        keepers.hand(self.at.session, self.at.node, self.at.people[by], mine, person_id, self.at.kid(name))

    def remove(self, name: str) -> None:
        keepers.remove(self.at.session, self.at.node, self.at.people[self.holder()], self.at.people[name].person_id)

    def disable(self, name: str) -> None:
        members.disable(self.at.session, self.at.node, self.admin, self.at.people[name].person_id)
        self.ended.add(name)

    def print_sheets(self, _name: str) -> None:
        before, by = sheets.state(self.at.session), self.holder()
        made = sheets.make(self.at.session, self.at.node, self.at.people[by], self.at.keys[by], before.kid if before else "")
        sheets.end_old(self.at.session, self.at.node)
        self.papers = list(made)

    def try_sheets(self, _name: str) -> None:
        sheets.try_two(self.at.session, self.at.node, self.at.people[self.holder()], *self.papers[1:])

    def use_sheets(self, name: str) -> None:
        sheets.use(self.at.session, self.at.node, self.at.people[name], *self.papers[:2])

    def renew(self, name: str) -> None:
        """Another key of their own, signed by the one before: the organisation's was not handed to it."""
        if name not in self.ended:
            with self.at.node.ring.begin() as ring:
                mine = self.at.keys[name]
                self.at.keys[name] = people.make(
                    self.at.session, ring, self.at.node, self.at.people[name].person_id, UNLOCK, signed_by=mine
                )

    def opens(self, key: Private) -> bool:
        """Whether somebody's key opens the organisation's of today."""
        with contextlib.suppress(Refused):
            return bool(organisation.opened(self.at.session, self.at.node, key))
        return False


def check(desk: Desk) -> None:
    """What holds after each act."""
    at = desk.at
    held = {name for name in NAMES if at.people[name].person_id in organisation.holders(at.session)}
    assert {name for name in NAMES if desk.opens(at.keys[name])} == held
    assert not held & desk.ended
    assert not any(at.boxes_to(name) for name in desk.ended), "nothing is boxed to who is gone"
    recovery, stands = organisation.recovery(at.session), opening.state(organisation.facts(at.session, at.node))
    if recovery is not None:
        with at.node.ring.look() as ring:
            found = wraps.sheet_boxes(ring, recovery.kid)
        assert desk.opens(papers.open_with_sheets(found, recovery.kid, *desk.papers[1:])), "two sheets open the key at any time"
    assert (stands == opening.SHUT) == (not held and recovery is not None)
    assert (stands == opening.OFF) == (organisation.current(at.session, at.node) is None or not (held or recovery))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ACTS)
def test_rows_and_key_ring_agree_after_any_acts(acts: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ring = Ring(f"sqlite:///{Path(folder) / 'ring.db'}")
        migrate(ring.engine, steps=RING)
        try:
            with office(ring) as at:
                desk = Desk(at)
                check(desk)
                for act, name in acts:
                    at.clock.at += 1
                    desk.do(act, name)
                    check(desk)
        finally:
            ring.close()
