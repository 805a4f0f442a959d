"""Shows that people get a key at their first password, that their browsers unlock it and lock it again with the session, however that ends,
and that a link, an admin, another browser or a stolen ring opens nothing."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.app import FEATURES
from fedcollab.base.clock import DAY, HOUR
from fedcollab.base.crypto import stored
from fedcollab.base.passwords import Tried
from fedcollab.base.statements import part
from fedcollab.features.members import ending, factor, service, sessions, unlocking
from fedcollab.features.members.models import LoginSession, Member
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import follows
from fedcollab.federation.models import Activity
from fedcollab.sealing import boxes, people, recovery, state, wraps
from fedcollab.sealing.pairs import published
from fedcollab.sealing.ring import Ring
from fedcollab.sealing.sweeping import sweep
from tests.rows import memory, proved_by, refused

from .persons import Persons, made, persons, right


def test_nobody_gets_a_key_before_cases_are_on_and_everybody_at_their_next_password(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan", on=False)
        before = here.login("daan")
        assert (here.states("daan"), here.held(before), here.said("daan"), here.rows("unlocked")) == ([], [], None, 0)
        state.turn_on(session, here.at, here.ids["ilse"])
        state.turn_on(session, here.at, None)
        assert here.held(before) == [], "that browser has to say the password"
        token = here.login("daan")
        assert here.states("daan") == ["current"]
        assert here.kids(token) == {here.current("daan")}
        assert here.kids(here.login("daan")) == {here.current("daan")}, "the same one in every browser"
        assert (here.states("daan"), here.states("ilse"), here.acts()) == (["current"], [], ["key.make"])


def test_who_joins_gets_a_key_with_the_password_that_they_choose(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring)
        invited = service.invite(session, here.at, None, ["member"])
        words = dict(username="noor", name="Noor", password_hash=made("noor").hashed, language="", agent="")
        token = service.join(session, here.at, invited, **words, unlock_key=made("noor").unlock)
        here.ids["noor"] = service.find(session, "noor").person_id
        assert here.kids(token) == {here.current("noor")} != {""}


@pytest.mark.rule("P14")
def test_a_key_is_published_in_the_persons_document_proved_by_the_organisation_and_told_to_partners(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan")
        [private] = here.held(here.login("daan"))
        assert published(here.said("daan")["key"]) == private.public
        assert set(here.said("daan")) == {"key"}, "the first is signed by none"
        told = session.scalars(sa.select(Activity.body).where(Activity.type == "Update", Activity.actor_id == here.ids["daan"])).all()
        assert len(told) == 1
        assert private.public.kid in told[0]
        document = session.scalar(sa.text("SELECT document FROM actor WHERE id = :id").bindparams(id=here.ids["daan"]))
        assert private.public.kid in document
        service.set_profile(session, here.at, here.viewer("daan"), name="Daan K.", summary="", language="", time_zone="")
        assert published(here.said("daan")["key"]) == private.public, "a new name leaves it where it was"
        me = actors.own(session, here.at)
        [(kind, public)] = [key for key in actors.keys_of(session, me.id).values() if key[0] == "ed25519"]
        assert proved_by(_document(here, "daan"), kind, public, here.at.now())


def _document(here: Persons, name: str) -> dict[str, Any]:
    from fedcollab.federation import profiles

    return profiles.stored_document(here.session, here.ids[name]) or {}


@pytest.mark.rule("AUTH-09")
@pytest.mark.rule("P14")
def test_what_lies_in_both_databases_opens_no_key_without_the_password_or_the_cookie(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan", "mila")
        token, other = here.login("daan"), here.login("mila")
        [private] = here.held(token)
        [hashed] = session.scalars(sa.select(LoginSession.token_hash).where(LoginSession.person_id == here.ids["daan"])).all()
        assert here.held(hashed) == [], "the database has the cookie's hash alone"
        with ring.begin() as held:
            box = wraps.unlocked(held, hashed)[private.public.kid]
            wraps.put_unlocked(held, stored(other), private.public.kid, box, 1)
            assert people.opened(held, here.ids["daan"], made("another").unlock) == []
            assert people.opened(held, here.ids["daan"], here.at.master_key) == [], "nor by the node's own key"
            assert [one.public for one in people.opened(held, here.ids["daan"], made("daan").unlock)] == [private.public]
        assert here.kids(other) == {here.current("mila")}, "a box moved to another session opens nothing"


@pytest.mark.rule("P28")
@pytest.mark.rule("AUTH-02")
@pytest.mark.parametrize(
    "ends",
    [
        lambda here, token: sessions.end(here.session, here.at, here.ids["daan"], stored(token)),
        lambda here, token: factor.end_others(here.session, here.at, here.ids["daan"], "the one kept"),
        lambda here, token: service.make_link(here.session, here.at, None, "daan"),
        lambda here, token: service.disable(here.session, here.at, None, "daan"),
        lambda here, token: service.set_password(here.session, here.at, here.ids["daan"], "new", "the one kept"),
        lambda here, token: _later(here, 12 * HOUR),
        lambda here, token: _later(here, 30 * DAY, seen=True),
        lambda here, token: unlocking.lock(here.session, here.at, token),
    ],
    ids=["signed out", "ended elsewhere", "link made", "disabled", "password changed", "idle", "too long", "locked"],
)
def test_however_a_session_ends_what_it_had_unlocked_ends_with_it_and_others_stay(ring: Ring, ends: Callable[[Persons, str], Any]) -> None:
    with memory() as session:
        here = persons(session, ring, "daan", "mila")
        token, other = here.login("daan"), here.login("mila")
        assert here.held(token)
        here.clock.at += HOUR
        session.execute(sa.update(LoginSession).where(LoginSession.token_hash == stored(other)).values(created_at=10**17, seen_at=10**17))
        ends(here, token)
        assert here.held(token) == []
        assert here.rows("unlocked") == 1
        assert here.kids(other) == {here.current("mila")}


def _later(here: Persons, by: int, *, seen: bool = False) -> None:
    here.clock.at += by
    if seen:
        here.session.execute(sa.update(LoginSession).values(seen_at=here.clock.at))
    service.forget_ended(here.session, here.at)


@pytest.mark.rule("P28")
def test_disabling_destroys_the_persons_key_and_what_it_opened_and_tells_partners_that_there_is_none(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan", "mila")
        kid, kept = here.kids(here.login("daan")).pop(), here.kids(here.login("mila")).pop()
        with ring.begin() as put:
            for to in (kid, kept):
                wraps.put_wrap(put, "mk:1", to, b"box", 1)
        here.clock.at += HOUR
        service.disable(session, here.at, None, "daan")
        with ring.look() as look:
            assert wraps.wraps_of(look, "mk:1") == {kept: b"box"}
            assert wraps.is_destroyed(look, "uk:" + kid)
            assert wraps.secrets_of(look, here.ids["daan"]) == []
        assert (here.current("daan"), here.said("daan"), here.states("daan")) == ("", None, ["old"])
        assert here.current("mila") == kept
        last = session.scalars(sa.select(Activity.body).where(Activity.actor_id == here.ids["daan"]).order_by(Activity.id.desc())).first()
        assert last is not None
        assert ap.PERSON_KEY not in last


@pytest.mark.rule("P28")
def test_a_key_ring_that_is_busy_holds_no_disabling_up_and_the_next_minute_does_the_rest(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fedcollab.base.errors import Unavailable

    def busy() -> Any:
        raise Unavailable

    with memory() as session:
        here = persons(session, ring, "daan", "mila")
        token = here.login("daan")
        here.login("mila")
        with monkeypatch.context() as patch:
            patch.setattr(ring, "begin", busy)
            service.disable(session, here.at, None, "daan")
        assert sessions.signed_in(session, here.at, token) is None
        assert (here.rows("person_secret"), here.rows("unlocked")) == (2, 2)
        ending.lock_ended(session, here.at)
        recovery.end_left(session, here.at)
        assert (here.rows("person_secret"), here.rows("unlocked")) == (1, 1)
        recovery.end_left(session, here.at)
        assert (here.rows("person_secret"), here.current("mila")) != (0, "")


def test_a_browser_that_owes_its_code_has_nothing_to_use_and_brings_what_it_unlocked_along(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan")
        daan = here.viewer("daan")
        factor.offer(session, here.at, daan.person_id)
        secret = factor.state(session, here.at, daan.person_id).offered
        codes = factor.confirm(session, here.at, daan, _code(here, secret), "")
        half, other = here.login("daan"), here.login("daan")
        assert isinstance(half, sessions.OwesCode)
        assert sessions.signed_in(session, here.at, half) is None
        token = sessions.finish(session, here.at, half, codes[0], "a browser")
        assert here.kids(token) == {here.current("daan")} != {""}
        assert here.held(half) == []
        assert sweep(session, here.at, [ending.NAMED_IN_RING]) == 0, "the other one may give its code yet"
        here.clock.at += HOUR
        service.forget_ended(session, here.at)
        assert (here.held(other), len(here.held(token))) == ([], 1)


def _code(here: Persons, secret: str) -> str:
    import pyotp

    return str(pyotp.TOTP(secret).at(here.at.now() // 1_000_000))


@pytest.mark.rule("AUTH-09")
def test_a_one_time_link_leaves_the_keys_locked(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan")
        here.login("daan")
        token = service.use_link(session, here.at, service.make_link(session, here.at, None, "daan"), "a browser")
        assert sessions.signed_in(session, here.at, token) is not None
        assert here.held(token) == []


def test_a_password_changed_with_the_old_one_keeps_the_key_and_the_old_one_opens_nothing(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan")
        token, elsewhere = here.login("daan"), here.login("daan")
        kid = here.current("daan")
        said = unlocking.Said(made("new").unlock, made("daan").unlock)
        service.set_password(session, here.at, here.ids["daan"], made("new").hashed, token, said)
        assert here.kids(token) == {kid} == {here.current("daan")}
        assert here.held(elsewhere) == []
        unlocking.settle(session, here.at, here.ids["daan"], made("new").unlock)
        with ring.look() as look:
            assert people.opened(look, here.ids["daan"], made("daan").unlock) == []
        assert here.kids(here.login("daan", "new")) == {kid}
        assert here.acts() == ["key.make"]


def test_a_password_whose_commit_failed_is_not_set_and_the_one_before_opens_the_key_yet(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan")
        token = here.login("daan")
        kid = here.current("daan")

        def fails(word: str) -> None:
            with part(session):
                said = unlocking.Said(made(word).unlock, made("daan").unlock)
                service.set_password(session, here.at, here.ids["daan"], made(word).hashed, token, said)
                raise ZeroDivisionError

        for word in ("one", "two"):
            for again in (word, word + " more"):
                with pytest.raises(ZeroDivisionError):
                    fails(again)
            token = here.login("daan")
            assert here.kids(token) == {kid}
            with ring.look() as look:
                assert people.opened(look, here.ids["daan"], made(word).unlock) == [], "whoever signs in by the one before settles it"


def test_a_form_renewed_at_login_takes_the_key_with_it_once(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan")
        kid = here.kids(here.login("daan")).pop()
        renewed = Tried(True, made("daan").unlock, made("costlier"))
        token = sessions.sign_in(session, here.at, here.ids["daan"], made("daan").hashed, "", renewed)
        assert here.kids(token) == {kid}
        assert session.scalar(sa.select(Member.password_hash).where(Member.username == "daan")) == made("costlier").hashed
        assert here.kids(here.login("daan", "costlier")) == {kid}
        assert sessions.sign_in(session, here.at, here.ids["daan"], made("daan").hashed, "", right("daan")) == ""


def test_a_form_before_lets_in_and_its_person_gets_a_key_under_the_new_one(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan")
        session.execute(sa.update(Member).where(Member.username == "daan").values(password_hash="$argon2id$old"))
        token = sessions.sign_in(session, here.at, here.ids["daan"], "$argon2id$old", "", Tried(True, None, made("daan")))
        assert here.kids(token) == {here.current("daan")} == here.kids(here.login("daan")) != {""}


def test_two_people_seal_to_each_other_by_what_is_published(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan")
        token = here.login("daan")
        public = people.current(session, here.ids["daan"])
        assert public is not None
        sealed = boxes.box(public.public, b"the text", "test")
        assert boxes.unbox(here.held(token)[0], sealed, "test") == b"the text"
        assert public.public.signed(here.held(token)[0].sign("test", b"x"), "test", b"x")


def test_a_new_key_is_signed_by_the_one_before_which_opens_what_was_sealed_to_it(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan")
        token = here.login("daan")
        before = here.current("daan")
        unlocking.renew(session, here.at, here.viewer("daan"), token, right("daan"))
        after = here.current("daan")
        assert here.kids(token) == {before, after} == here.kids(here.login("daan"))
        said, uri = here.said("daan"), actors.by_id(session, here.ids["daan"]).uri
        assert (here.states("daan"), said["prev"], said["key"]["kid"]) == (["current", "old"], before, after)
        signer = next(private for private in here.held(token) if private.public.kid == before)
        assert people.said(uri, published(said["key"]), signer) == said, "Ed25519 signs one text one way"
        unlocking.lock(session, here.at, token)
        words = refused(session, unlocking.renew, session, here.at, here.viewer("daan"), token, right("daan"))
        assert "locked in this browser" in words
        assert here.acts() == ["key.make", "key.renew"]


@pytest.mark.rule("R15")
def test_a_node_out_of_a_backup_tells_partners_which_keys_are_in_use(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan", "mila", "noor")
        kids = {here.ids[name]: here.kids(here.login(name)).pop() for name in ("daan", "mila")}
        service.disable(session, here.at, None, "mila")
        session.execute(sa.delete(Activity))
        for unit in [unit for feature in FEATURES for unit in feature.restored]:
            unit(session, here.at, here.at.now())
        told = {row.actor_id: row.body for row in session.execute(sa.select(Activity.actor_id, Activity.body))}
        assert list(told) == [here.ids["daan"]]
        assert kids[here.ids["daan"]] in told[here.ids["daan"]]


def test_a_profile_says_nothing_of_keys_where_there_are_none(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan", on=False)
        follows.tell_profile(session, here.at, actors.by_id(session, here.ids["daan"]))
        assert here.said("daan") is None
