"""A referral to a partner and one to an organisation without a node go the same way, whatever is tried with them in whichever order."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fedcollab.access.viewer import CASEWORKER, MEMBER, Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import Actor
from fedcollab.base.errors import Refused
from fedcollab.base.migrate import RING, migrate
from fedcollab.base.statements import part
from fedcollab.features.guests import service as guests
from fedcollab.features.referrals import erased, outside, receiving, service, wire
from fedcollab.features.referrals.preview import Preview
from fedcollab.features.referrals.service import HandOver
from fedcollab.features.referrals.states import ACCEPTED, DONE, IN_PROGRESS, RECIPIENT, REJECTED, REVOKED, SENDER, Word, may
from fedcollab.federation import activitystreams as ap
from fedcollab.federation.registry import Verified
from fedcollab.flows import referred
from fedcollab.flows.guests import Account, join
from fedcollab.sealing import boxes, working
from fedcollab.sealing.ring import Ring
from tests.features.referrals.handed import PREVIEW
from tests.rows import partner, quick_keys
from tests.sealing.keeping import Office, office

WHO, CODE, DAY = guests.Asked("Sara Lind", "Police of Xanten", "LawEnforcement"), "12345678", "2026-03-01"
ACTS = ((SENDER, REVOKED), (SENDER, DONE), (RECIPIENT, ACCEPTED), (RECIPIENT, REJECTED), (RECIPIENT, DONE))
TRIED = st.lists(st.sampled_from((*ACTS, ("stranger", "look"), ("stranger", "guess"))), max_size=7)


class Both:
    """Noor's case, and of one kind each a referral from it; `said` counts what a partner has said."""

    def __init__(self, at: Office) -> None:
        self.at, self.said = at, 0
        at.begin()
        at.second()
        at.print_sheets()
        self.noor, self.keys = at.join("noor", MEMBER, CASEWORKER), [at.keys["noor"]]
        partner(at.session, at.node, "p.example")
        self.partner = at.session.execute(sa.select(Actor.id).where(Actor.host == "p.example")).scalar_one()
        shown = {ap.ORGANISATION_KEY: boxes.generate().public.document()}
        at.session.execute(sa.update(Actor).where(Actor.id == self.partner).values(document=shown))
        self.case = self.do(working.found, "case", "TLP:AMBER")

    def do(self, work: Callable[..., Any], *values: Any) -> Any:
        return work(self.at.session, self.at.node, self.noor, self.keys, *values)

    def refer(self) -> None:
        plain: tuple[str, Preview, tuple[()], str] = (DAY, PREVIEW, (), self.case)
        self.there, _ = self.do(service.offer, HandOver(self.partner, *plain))
        made = self.do(outside.offer, HandOver("", *plain, outside="Sara Lind, Police of Xanten"))
        self.here, bound = made.id, guests.Bound(made.id, CODE, outside.good_until(DAY), made.sealed.key)
        _, self.token = guests.invite(self.at.session, self.at.node, self.noor, made.room_id, WHO, bound)
        self.guest = Viewer()

    def row(self, referral_id: str) -> Any:
        return service.by_id(self.at.session, referral_id)

    def try_to(self, side: str, kind: str) -> list[bool]:
        """Tries the same with both; whether it was done."""
        self.at.clock.at += 1
        acts = (self.with_partner, self.outside) if side == RECIPIENT else tuple(self.of_ours(of) for of in self.ids)
        return [self.done(act, kind) for act in acts]

    @property
    def ids(self) -> tuple[str, str]:
        return self.there, self.here

    def done(self, act: Callable[[str], None], kind: str) -> bool:
        with contextlib.suppress(Refused):
            with part(self.at.session):
                act(kind)
            return True
        return False

    def of_ours(self, referral_id: str) -> Callable[[str], None]:
        def act(kind: str) -> None:
            if kind == REVOKED:
                referred.take_back(self.at.session, self.at.node, self.noor, referral_id)
            else:
                service.finish(self.at.session, self.at.node, self.noor, referral_id, "Other")

        return act

    def with_partner(self, kind: str) -> None:
        """Their node says what it may as things stand, and nothing else."""
        row = self.row(self.there)
        if kind not in may(row.state, RECIPIENT):
            raise Refused
        self.says(row, kind)

    def says(self, row: Any, kind: str) -> None:
        them, code = actors.by_id(self.at.session, self.partner), {REJECTED: "Other", DONE: "Successful"}.get(kind, "")
        self.said += 1
        word = Word(self.at.clock.at, kind, RECIPIENT, code)
        said = wire.word(f"https://p.example/activities/{self.said}", them.uri, row.uri, row.room, word)
        receiving.receive_word(self.at.session, self.at.node, Verified(said, them, them, proved=True))

    def outside(self, kind: str) -> None:
        """Somebody with the link and the code, who is a guest after a yes."""
        args = (self.at.session, self.at.node)
        if kind == DONE:
            referred.finish(*args, self.guest, "Successful")
            return
        assert isinstance(referred.look(*args, self.token, CODE, noted=False), Preview)
        if kind == REJECTED:
            referred.decline(*args, self.token, "Other")
            return
        with quick_keys():
            join(*args, self.token, Account(f"sara-{self.at.clock.at}", "", b"u" * 32, "en", ""))
        found = guests.find(self.at.session, self.here)
        assert found is not None
        assert found.person_id is not None
        self.guest = Viewer(person_id=found.person_id)

    def looks(self, code: str) -> bool:
        """Whether somebody with the link sees the preview by this code."""
        self.at.clock.at += 1
        seen = []
        self.done(lambda _: seen.append(referred.look(self.at.session, self.at.node, self.token, code, noted=True)), "")
        return any(isinstance(one, Preview) for one in seen)

    def check(self) -> None:
        """What holds after each act: they stand alike, and of what came to nothing there is nothing."""
        one, other = (self.row(referral_id) for referral_id in self.ids)
        assert (one.state, one.code) == (other.state, other.code)
        asked = guests.find(self.at.session, self.here)
        assert (asked is None) == (other.state in (REJECTED, REVOKED))
        assert bool(other.preview) == (other.state == IN_PROGRESS)
        assert bool(other.outside) == (other.state not in (REJECTED, REVOKED))
        rooms = set(self.at.session.scalars(sa.text("SELECT state FROM room WHERE uri IN (:a, :b)").bindparams(a=one.room, b=other.room)))
        assert (rooms == {"purged"}) == (other.state in (REJECTED, REVOKED))


@contextlib.contextmanager
def both() -> Iterator[Both]:
    with tempfile.TemporaryDirectory() as folder:
        ring = Ring(f"sqlite:///{Path(folder) / 'ring.db'}")
        migrate(ring.engine, steps=RING)
        try:
            with office(ring) as at:
                yield Both(at)
        finally:
            ring.close()


@pytest.mark.slow
def test_both_kinds_go_the_same_way_whatever_is_tried() -> None:
    with both() as made:

        @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(TRIED)
        def go(tried: list[tuple[str, str]]) -> None:
            made.refer()
            for side, kind in tried:
                state = made.row(made.here).state
                if side == "stranger":
                    assert made.looks(CODE if kind == "look" else "00000000") == (kind == "look" and state == IN_PROGRESS)
                else:
                    assert made.try_to(side, kind) == [kind in may(state, side)] * 2, (state, side, kind)
                made.check()

        go()


@pytest.mark.slow
@pytest.mark.rule("P11")
def test_no_partner_has_a_word_on_it_and_one_that_came_to_nothing_does_not_come_back_with_a_backup() -> None:
    with both() as made:
        made.refer()
        for kind in (ACCEPTED, REJECTED, DONE):
            with pytest.raises(Refused):
                made.says(made.row(made.here), kind)
        assert made.row(made.here).state == IN_PROGRESS
        for referral_id in made.ids:  # as an older backup has them
            erased.end_again(made.at.session, made.at.node, f"{referral_id} {REJECTED} Other")
        outside.shut_links(made.at.session, made.at.node, 0)
        guests.end_invitations(made.at.session, made.at.node, 0)
        guests.forget_late(made.at.session, made.at.node)
        made.check()
        assert made.row(made.here).state == REJECTED
