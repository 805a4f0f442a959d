"""Shows that whoever locks their access is locked out everywhere at once, by whatever they know, until a keeper has spoken with them; and
that neither a busy key ring nor an older backup gives it back."""

import contextlib

import pytest

from fedcollab.base.errors import Unavailable
from fedcollab.features.members import sessions, unlocking
from fedcollab.features.members.taken_away import ERASURES
from fedcollab.sealing import crossing, keepers, opening, organisation, recovery, sheets, unlocked
from fedcollab.sealing.ring import Ring
from tests.rows import memory, refused

from .persons import Persons, made, persons, right

PAPER = bytes(range(16))


def lock(here: Persons, name: str) -> None:
    crossing.lock(here.session, here.at, here.viewer(name))


def reopen(here: Persons, keeper: str, name: str) -> None:
    keys = here.held(here.login(keeper))
    crossing.reopen(here.session, here.at, here.viewer(keeper, "keeper"), keys, here.ids[name], here.current(name))


@pytest.mark.rule("P28")
def test_it_is_locked_in_every_browser_and_neither_password_nor_paper_opens_it(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan", "mila")
        one, other, mila = here.login("daan"), here.login("daan"), here.login("mila")
        unlocking.set_code(session, here.at, here.viewer("daan"), one, PAPER)
        kid = here.current("daan")
        lock(here, "daan")
        assert (here.held(one), here.held(other), len(here.held(mila))) == ([], [], 1), "nobody else's"
        assert here.held(here.login("daan")) == [], "signing in goes on, and opens nothing"
        args = (session, here.at, here.ids["daan"], one, right("daan"))
        assert not unlocking.right(session, here.at, here.ids["daan"], made("daan").hashed, right("daan"), one)
        assert "You have locked your access" in refused(session, unlocking.take_over, *args, PAPER)
        assert "You have locked your access" in refused(session, unlocking.begin_anew, *args)
        assert "You have locked your access" in refused(session, unlocking.renew, session, here.at, here.viewer("daan"), one, right("daan"))
        unlocking.changed(session, here.at, here.ids["daan"], one, unlocking.Said(made("new").unlock, made("daan").unlock))
        assert (here.held(one), here.current("daan")) == ([], kid), "another password opens it as little"
        assert len(sessions.listed(session, here.ids["daan"])) == 3


@pytest.mark.rule("P28", "AUTH-09")
def test_only_another_keeper_who_holds_the_key_reopens_it_and_then_all_is_as_before(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan", "mila", "noor")
        here.login("daan")
        here.login("noor")
        here.keeper("mila")
        kid = here.current("daan")
        lock(here, "daan")
        assert recovery.how_many_wait(session, here.at) == 1
        assert [(one.name, one.key.kid if one.key else "") for one in crossing.listed(session)] == [("Daan", kid)]
        for name, words in (("noor", "not been handed to you"), ("daan", "Somebody else")):
            assert words in refused(session, reopen, here, name, "daan")
        keys = here.held(here.login("mila"))
        mila = here.viewer("mila", "keeper")
        assert "Your own key" in refused(session, crossing.reopen, session, here.at, mila, [], here.ids["daan"], kid)
        other = refused(session, crossing.reopen, session, here.at, mila, keys, here.ids["daan"], here.current("noor"))
        assert "another key meanwhile" in other
        assert "nothing here" in refused(session, reopen, here, "mila", "noor")
        assert here.held(here.login("daan")) == []
        reopen(here, "mila", "daan")
        assert here.kids(here.login("daan")) == {kid}
        assert (recovery.how_many_wait(session, here.at), here.acts()[-2:]) == (None, ["key.lock_away", "key.reopen"])


def test_whoever_was_reset_meanwhile_is_let_in_before_it_is_reopened(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan", "mila")
        here.keeper("mila")
        here.login("daan")
        lock(here, "daan")
        with ring.begin() as put:
            recovery.begin_anew(session, put, here.at, here.ids["daan"], made("daan").unlock)
        assert "confirm that first" in refused(session, reopen, here, "mila", "daan")
        [waits] = recovery.waiting(session)
        recovery.readmit(session, here.at, here.viewer("mila"), here.held(here.login("mila")), waits.person_id, waits.key.kid)
        assert here.held(here.login("daan")) == []
        reopen(here, "mila", "daan")
        assert here.kids(here.login("daan")) == {waits.key.kid}


def test_a_keeper_who_locks_it_holds_the_organisations_key_no_more_until_it_is_reopened(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan", "mila", "noor")
        here.keeper("mila")
        here.keeper("noor", "mila")
        lock(here, "noor")
        assert list(organisation.holders(session)) == [here.ids["mila"]]
        reopen(here, "mila", "noor")
        assert set(organisation.holders(session)) == {here.ids["mila"], here.ids["noor"]}
        lock(here, "noor")
        organisation.turn(session, here.at)
        reopen(here, "mila", "noor")
        [waits] = [one for one in keepers.listed(session) if not one.holds]
        assert (waits.name, waits.ready) == ("Noor", True), "the key of today has to be handed to them"


def test_where_the_last_keeper_has_locked_it_an_admin_names_another_who_takes_two_sheets(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan", "mila")
        mila = here.keeper("mila")
        one, other, _ = sheets.make(session, here.at, mila, here.held(here.login("mila"))[0], "")
        lock(here, "mila")
        assert opening.state(organisation.facts(session, here.at)) == opening.SHUT
        here.login("daan")
        keepers.name(session, here.at, here.viewer("ilse", "admin"), here.ids["daan"])
        sheets.use(session, here.at, here.viewer("daan", "keeper"), one, other)
        reopen(here, "daan", "mila")
        assert set(organisation.holders(session)) == {here.ids["mila"], here.ids["daan"]}


@pytest.mark.rule("P28")
def test_a_busy_key_ring_holds_it_up_neither_now_nor_later(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    with memory() as session:
        here = persons(session, ring, "daan")
        token = here.login("daan")

        def busy() -> contextlib.AbstractContextManager[object]:
            raise Unavailable(reason="the key ring is busy")

        with monkeypatch.context() as patch:
            patch.setattr(Ring, "begin", lambda _self: busy())
            lock(here, "daan")
        assert (crossing.is_locked(session, here.ids["daan"]), len(here.held(token))) == (True, 1)
        crossing.lock_left(session, here.at)
        assert here.held(token) == []


@pytest.mark.rule("P11")
def test_an_older_backup_does_not_open_what_was_locked_after_it(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan", "mila")
        token = here.login("daan")
        with session.connection().begin_nested() as later:
            lock(here, "daan")
            noted = ERASURES.listed(session, here.at.now())
            later.rollback()
        assert not crossing.is_locked(session, here.ids["daan"])
        assert noted == [f"locked {here.ids['daan']}"]
        ERASURES.replay(session, here.at, noted[0])
        assert (crossing.is_locked(session, here.ids["daan"]), here.held(token)) == (True, [])
        assert "could not be done" in refused(session, ERASURES.replay, session, here.at, noted[0])


def test_a_locked_session_is_refused_also_while_the_ring_still_has_what_it_unlocked(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan", "mila")
        tokens = {name: here.login(name) for name in ("daan", "mila")}
        lock(here, "daan")
        with ring.begin() as put:  # as a ring that came back from an older copy of it would
            unlocked.unlock(put, tokens["daan"], here.held(tokens["mila"]), here.at.now())
        asked = {name: unlocked._held(session, here.at, token, here.ids[name]) for name, token in tokens.items()}
        assert (asked["daan"], len(asked["mila"])) == ([], 1)
