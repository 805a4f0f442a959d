"""Shows what becomes of a key when its person's password is reset: by the paper it is taken over, without it there is a new one that opens
nothing before a keeper has compared words."""

import pytest

from fedcollab.features.members import service, sessions, unlocking
from fedcollab.sealing import codes, keepers, people, recovery, words, wraps
from fedcollab.sealing.ring import Ring
from tests.rows import memory, refused

from .persons import Persons, made, persons, right

PAPER = bytes(range(16))


def paper(here: Persons, name: str, token: str, code: bytes = PAPER) -> None:
    unlocking.set_code(here.session, here.at, here.viewer(name), token, code)


def reset(here: Persons, name: str, word: str, code: bytes | None = None) -> str:
    """An admin's link, and the new password that it asks for."""
    token = service.use_link(here.session, here.at, service.make_link(here.session, here.at, here.viewer("ilse"), name), "a browser")
    said = unlocking.Said(made(word).unlock, None, code, reset=True)
    service.set_password(here.session, here.at, here.ids[name], made(word).hashed, token, said)
    return token


@pytest.mark.rule("AUTH-09")
def test_a_reset_without_the_paper_makes_a_key_that_opens_nothing_until_a_keeper_has_compared_words(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan", "mila")
        before = here.kids(here.login("daan")).pop()
        with ring.begin() as put:
            wraps.put_wrap(put, "mk:1", before, b"box", 1)
        token = reset(here, "daan", "new")
        [waits] = recovery.waiting(session)
        assert (here.states("daan"), here.current("daan"), here.said("daan")) == (["waiting", "old"], "", None)
        assert here.kids(token) == {waits.key.kid} == here.kids(here.login("daan", "new"))
        with ring.look() as look:
            assert wraps.wraps_to(look, waits.key.kid) == {}
            assert people.opened(look, here.ids["daan"], made("daan").unlock) == [], "nor does the password before"
        assert recovery.how_many_wait(session, here.at) == 1
        keeper, keys = here.keeper("mila"), here.held(here.login("mila"))
        assert "another key meanwhile" in refused(session, recovery.readmit, session, here.at, keeper, keys, waits.person_id, before)
        own = (here.viewer("daan"), here.held(token), waits.person_id, waits.key.kid)
        assert "Somebody else" in refused(session, recovery.readmit, session, here.at, *own)
        recovery.readmit(session, here.at, keeper, keys, waits.person_id, waits.key.kid)
        assert (here.states("daan"), here.current("daan"), recovery.how_many_wait(session, here.at)) == (
            ["current", "old"],
            waits.key.kid,
            None,
        )
        assert here.said("daan")["key"]["kid"] == waits.key.kid
        assert "prev" not in here.said("daan")
        assert "nothing here" in refused(session, recovery.readmit, session, here.at, keeper, keys, waits.person_id, waits.key.kid)
        assert here.acts() == ["key.make", "key.anew", "key.make", "key.readmit"]


@pytest.mark.rule("AUTH-09")
def test_an_admin_who_has_reset_a_keepers_account_too_lets_nobody_in(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan", "mila", "noor")
        for name in ("daan", "noor"):
            here.login(name)
        here.keeper("noor")
        here.keeper("mila", "noor")
        reset(here, "daan", "new")
        stolen = here.held(reset(here, "mila", "new"))
        [waits] = [one for one in recovery.waiting(session) if one.person_id == here.ids["daan"]]
        args = (waits.person_id, waits.key.kid)
        for keys in (stolen, [], here.held(here.login("noor"))):
            assert "Your own key" in refused(session, recovery.readmit, session, here.at, here.viewer("mila", "keeper"), keys, *args)
        assert here.current("daan") == ""
        recovery.readmit(session, here.at, here.viewer("noor", "keeper"), here.held(here.login("noor")), *args)
        assert here.current("daan") == waits.key.kid


@pytest.mark.rule("AUTH-09")
def test_whoever_was_named_a_keeper_lets_nobody_in_before_the_organisations_key_was_handed_to_them(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan", "mila", "noor")
        here.login("daan")
        reset(here, "daan", "new")
        [waits] = recovery.waiting(session)
        args = (waits.person_id, waits.key.kid)
        keepers.name(session, here.at, here.viewer("ilse", "admin"), here.ids["mila"])
        mila, keys = here.viewer("mila", "keeper"), here.held(here.login("mila"))
        assert "not been handed to you" in refused(session, recovery.readmit, session, here.at, mila, keys, *args)
        here.keeper("noor")
        assert "not been handed to you" in refused(session, recovery.readmit, session, here.at, mila, keys, *args)
        assert (here.current("daan"), people.readmitted(session, here.ids.values())) == ("", {})
        [mine] = here.held(here.login("noor"))
        keepers.hand(session, here.at, here.viewer("noor"), mine, here.ids["mila"], here.current("mila"))
        recovery.readmit(session, here.at, mila, keys, *args)
        assert here.current("daan") == waits.key.kid


def test_everyone_can_be_told_by_whom_a_key_was_readmitted_and_when_and_first_keys_were_by_nobody(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan", "mila")
        here.login("daan")
        here.keeper("mila")
        assert people.readmitted(session, here.ids.values()) == {}
        reset(here, "daan", "new")
        [waits] = recovery.waiting(session)
        here.clock.at += 5
        at = here.at.now()
        recovery.readmit(session, here.at, here.viewer("mila", "keeper"), here.held(here.login("mila")), waits.person_id, waits.key.kid)
        assert people.readmitted(session, here.ids.values()) == {here.ids["daan"]: people.Readmitted("Mila", at)}
        assert people.readmitted(session, [here.ids["mila"]]) == {}
        token = here.login("daan", "new")
        unlocking.renew(session, here.at, here.viewer("daan"), token, right("new"))
        assert people.readmitted(session, here.ids.values()) == {}, "its own person has signed the next one"


def test_a_renewed_key_locks_the_persons_other_browsers_until_the_password_is_typed_there(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan", "mila")
        one, other, mila = here.login("daan"), here.login("daan"), here.login("mila")
        before = here.current("daan")
        unlocking.renew(session, here.at, here.viewer("daan"), one, right("daan"))
        both = {before, here.current("daan")}
        assert (len(both), here.kids(one), here.kids(other)) == (2, both, set())
        assert here.kids(mila) == {here.current("mila")}, "nobody else's"
        assert unlocking.right(session, here.at, here.ids["daan"], made("daan").hashed, right("daan"), other)
        assert here.kids(other) == both


def test_a_reset_with_the_paper_takes_the_key_over_and_nobody_has_to_do_anything(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan")
        token = here.login("daan")
        kid = here.kids(token).pop()
        paper(here, "daan", token)
        told = here.said("daan")
        token = reset(here, "daan", "new", PAPER)
        assert here.kids(token) == {kid} == here.kids(here.login("daan", "new"))
        assert (here.states("daan"), here.said("daan"), recovery.waiting(session)) == (["current"], told, [])
        assert here.acts() == ["key.make", "key.code", "key.recovered"]


def test_a_wrong_paper_changes_nothing_and_is_said_to_be_one(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan", "mila")
        token, other = here.login("daan"), here.login("mila")
        paper(here, "daan", token)
        paper(here, "mila", other, b"x" * 16)
        link = service.use_link(session, here.at, service.make_link(session, here.at, None, "daan"), "a browser")
        said = unlocking.Said(made("new").unlock, None, b"x" * 16, reset=True)
        words_ = refused(session, service.set_password, session, here.at, here.ids["daan"], made("new").hashed, link, said)
        assert "does not open your key" in words_
        assert (here.states("daan"), here.held(link)) == (["current"], [])
        assert here.kids(here.login("daan")) == {here.current("daan")}, "the password is the one before"
        with pytest.raises(recovery.WrongPaper, match="eight groups"):
            recovery.read_paper("some words")
        assert recovery.read_paper(" ".join(codes.printed(PAPER, "fcperson")).lower()) == PAPER


def test_who_finds_the_paper_later_gets_the_key_back_and_the_one_that_waited_is_destroyed(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan")
        token = here.login("daan")
        kid = here.kids(token).pop()
        paper(here, "daan", token)
        token = reset(here, "daan", "new")
        waits = here.kids(token).pop()
        assert unlocking.shown(session, here.at, here.ids["daan"], token).may_come_back
        unlocking.take_over(session, here.at, here.ids["daan"], token, right("new"), PAPER)
        assert here.kids(token) == {kid} == here.kids(here.login("daan", "new"))
        assert (here.states("daan"), here.said("daan")["key"]["kid"]) == (["current"], kid)
        with ring.look() as look:
            assert wraps.is_destroyed(look, "uk:" + waits)


def test_each_reset_gives_up_the_key_that_waited_and_never_the_one_before(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan")
        token = here.login("daan")
        kid = here.kids(token).pop()
        paper(here, "daan", token)
        first = here.kids(reset(here, "daan", "one")).pop()
        second = here.kids(reset(here, "daan", "two")).pop()
        assert (here.states("daan"), len({kid, first, second})) == (["waiting", "old"], 3)
        assert [one.key.kid for one in recovery.waiting(session)] == [second]
        assert here.kids(reset(here, "daan", "three", PAPER)) == {kid}


def test_a_new_paper_makes_the_one_before_worth_nothing(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan")
        token = here.login("daan")
        paper(here, "daan", token)
        paper(here, "daan", token, b"n" * 16)
        args = (session, here.at, here.ids["daan"], token, right("daan"))
        assert "older paper" in refused(session, unlocking.take_over, *args, PAPER)
        unlocking.take_over(*args, b"n" * 16)
        unlocking.lock(session, here.at, token)
        assert "locked in this browser" in refused(session, paper, here, "daan", token)


def test_the_paper_of_a_key_that_was_replaced_does_not_bring_that_one_back(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan")
        token = here.login("daan")
        paper(here, "daan", token)
        unlocking.renew(session, here.at, here.viewer("daan"), token, right("daan"))
        kid = here.current("daan")
        assert not unlocking.shown(session, here.at, here.ids["daan"], token).paper
        assert "older paper" in refused(session, reset, here, "daan", "new", PAPER)
        assert here.current("daan") == kid
        token = here.login("daan")
        paper(here, "daan", token)
        assert here.kids(reset(here, "daan", "new", PAPER)) == here.kids(here.login("daan", "new")) >= {kid}


def test_a_password_that_opens_nothing_makes_no_key_by_itself(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan")
        here.login("daan")
        with ring.begin() as put:
            recovery.forget_password(put, here.ids["daan"])
        token = here.login("daan")
        assert (here.held(token), here.states("daan")) == ([], ["current"])
        unlocking.begin_anew(session, here.at, here.ids["daan"], token, right("daan"))
        assert (here.kids(token), here.states("daan")) == ({recovery.waiting(session)[0].key.kid}, ["waiting", "old"])


@pytest.mark.rule("P28")
def test_who_is_disabled_waits_no_more(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan", "mila")
        here.login("daan")
        reset(here, "daan", "new")
        [waits] = recovery.waiting(session)
        service.disable(session, here.at, None, "daan")
        assert recovery.waiting(session) == []
        late = (here.viewer("mila"), [], here.ids["daan"], waits.key.kid)
        assert "nothing here" in refused(session, recovery.readmit, session, here.at, *late)
        assert sessions.listed(session, here.ids["daan"]) == []


def test_the_person_and_the_keeper_see_the_same_words_and_nobody_else_has_them(ring: Ring) -> None:
    with memory() as session:
        here = persons(session, ring, "daan", "mila")
        tokens = {name: here.login(name) for name in ("daan", "mila")}
        tokens["daan"] = reset(here, "daan", "new")
        shown = {name: unlocking.shown(session, here.at, here.ids[name], token) for name, token in tokens.items()}
        [waits] = recovery.waiting(session)
        assert shown["daan"].words == words.of_one(waits.uri, waits.key.public) != shown["mila"].words
        assert (shown["daan"].waits, shown["mila"].waits, shown["daan"].unlocked) == (True, False, True)
