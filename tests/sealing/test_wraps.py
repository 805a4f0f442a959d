"""Shows that boxes come out of the key ring as they went in, that twice is once, and that what was destroyed never comes back."""

import asyncio
import threading
from contextlib import suppress

import pytest
import sqlalchemy as sa

from fedcollab.base.errors import Gone, Unavailable
from fedcollab.sealing import ring as rings
from fedcollab.sealing import wraps
from fedcollab.sealing.ring import Ring
from fedcollab.sealing.ring_models import Destroyed, RingModel


def rows(ring: Ring) -> dict[str, list[tuple[object, ...]]]:
    with ring.look() as found:
        return {name: sorted(map(tuple, found.execute(sa.select(table)))) for name, table in RingModel.metadata.tables.items()}


def fill(ring: Ring) -> None:
    with ring.begin() as put:
        wraps.put_secret(put, "k1", "ilse", b"\0by password", b"\xffby code", 1)
        wraps.put_unlocked(put, "a" * 64, "k1", b"cookie", 2)
        wraps.put_wrap(put, "ok:o1", "k1", b"ok to k1", 3)
        wraps.put_wrap(put, "ok:o1", "k2", b"ok to k2", 3)
        wraps.put_wrap(put, "ck:room:1", "m1", b"case key", 4)
        wraps.put_sheet(put, "r1", "ab", b"sheets", 5)
        wraps.put_wrap(put, "rk:r1", "k1", b"rk to k1", 5)


def test_every_box_comes_out_as_it_went_in_and_put_twice_is_put_once(ring: Ring) -> None:
    fill(ring)
    once = rows(ring)
    fill(ring)
    assert rows(ring) == once
    with ring.look() as look:
        assert wraps.secret(look, "k1") == ("k1", b"\0by password", b"\xffby code", "current")
        assert [one.kid for one in wraps.secrets_of(look, "ilse")] == ["k1"]
        assert wraps.unlocked(look, "a" * 64) == {"k1": b"cookie"}
        assert wraps.wraps_of(look, "ok:o1") == {"k1": b"ok to k1", "k2": b"ok to k2"}
        assert wraps.wraps_to(look, "k1") == {"ok:o1": b"ok to k1", "rk:r1": b"rk to k1"}
        assert (wraps.wrap(look, "ck:room:1", "m1"), wraps.wrap(look, "ck:room:1", "k1")) == (b"case key", None)
        assert wraps.sheet_boxes(look, "r1") == {"ab": b"sheets"}


def test_boxes_of_many_keys_for_many_holders_are_found_at_once_and_no_others(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wraps, "AT_ONCE", 2)
    fill(ring)
    with ring.look() as look:
        found = wraps.wraps_among(look, ["ok:o1", "ck:room:1", "ck:room:2", "rk:r1"], ["k1", "m1"])
        assert found == {("ok:o1", "k1"): b"ok to k1", ("ck:room:1", "m1"): b"case key", ("rk:r1", "k1"): b"rk to k1"}
        assert wraps.wraps_among(look, [], ["k1"]) == wraps.wraps_among(look, ["ok:o1"], []) == {}


def test_a_unit_that_fails_leaves_the_ring_as_it_was(ring: Ring) -> None:
    fill(ring)
    before = rows(ring)
    with suppress(ZeroDivisionError), ring.begin() as put:
        wraps.destroy(put, "ok:o1", 9)
        wraps.put_wrap(put, "mk:m1", "k1", b"never", 9)
        raise ZeroDivisionError
    assert rows(ring) == before


def test_a_part_of_a_unit_sees_the_whole_and_goes_alone_where_it_fails(ring: Ring) -> None:
    with ring.begin() as outer:
        wraps.put_wrap(outer, "mk:m1", "k1", b"outer", 1)
        with suppress(ZeroDivisionError), ring.begin() as inner:
            assert wraps.wrap(inner, "mk:m1", "k1") == b"outer"
            wraps.put_wrap(inner, "mk:m2", "k1", b"inner", 1)
            raise ZeroDivisionError
        with ring.begin() as inner, ring.look() as look:
            wraps.put_wrap(inner, "mk:m3", "k1", b"third", 1)
            assert wraps.wrap(look, "mk:m3", "k1") == b"third"
    with ring.look() as look:
        assert wraps.wraps_to(look, "k1") == {"mk:m1": b"outer", "mk:m3": b"third"}


@pytest.mark.rule("P13")
def test_what_was_destroyed_is_gone_twice_as_once_and_is_never_put_again(ring: Ring) -> None:
    fill(ring)
    with ring.begin() as put:
        assert wraps.destroy(put, "ok:o1", 10) == 2
        assert wraps.destroy(put, "uk:k1", 10) == 2, "sealed and unlocked"
        assert wraps.destroy(put, "rk:r1", 10) == 2, "to people and to sheets"
    once = rows(ring)
    with ring.begin() as put:
        assert [wraps.destroy(put, of, 11) for of in ("ok:o1", "uk:k1", "rk:r1")] == [0, 0, 0]
    assert rows(ring) == once
    assert {name: len(found) for name, found in once.items()} == {
        "person_secret": 0,
        "unlocked": 0,
        "wrap": 1,
        "sheet_box": 0,
        "destroyed": 3,
    }
    with ring.begin() as put:
        with pytest.raises(Gone):
            wraps.put_wrap(put, "ok:o1", "k3", b"late", 12)
        with pytest.raises(Gone):
            wraps.put_secret(put, "k1", "ilse", b"late", b"late", 12)
        with pytest.raises(Gone):
            wraps.put_sheet(put, "r1", "bc", b"late", 12)
        wraps.put_wrap(put, "ok:o2", "k3", b"another key", 12)
    with ring.look() as look:
        assert wraps.wraps_to(look, "k3") == {"ok:o2": b"another key"}
        assert (wraps.is_destroyed(look, "ok:o1"), wraps.is_destroyed(look, "ok:o2")) == (True, False)


def test_one_holders_box_goes_alone_and_may_be_handed_out_anew(ring: Ring) -> None:
    fill(ring)
    with ring.begin() as put:
        assert wraps.destroy(put, "ok:o1", 20, to_kid="k1") == 1
        assert wraps.wraps_of(put, "ok:o1") == {"k2": b"ok to k2"}
        wraps.put_wrap(put, "ok:o1", "k1", b"keeper again", 15)
    found = {(row[0], row[1]): row[3] for row in rows(ring)["wrap"]}
    assert found["ok:o1", "k1"] == 21, "later than what was destroyed, whatever the clock says"


def test_all_that_a_holder_opens_is_destroyed_at_once_as_one_by_one(ring: Ring) -> None:
    with ring.begin() as put:
        for kid in ("k1", "k2"):
            wraps.put_wrap(put, "mk:before", kid, b"box", 1)
            wraps.destroy(put, "mk:before", 5, to_kid=kid)
            for number in range(4):
                wraps.put_wrap(put, f"mk:{number}", kid, b"box", 90 if number == 3 else 2)
            wraps.put_wrap(put, "mk:before", kid, b"box", 1)  # handed out anew
        wraps.put_wrap(put, "mk:0", "k3", b"another's", 2)
        for of in wraps.wraps_to(put, "k1"):
            wraps.destroy(put, of, 7, to_kid="k1")
        assert wraps.destroy_held(put, "k2", 7) == 5
        assert wraps.destroy_held(put, "k2", 8) == 0
        assert [wraps.wraps_to(put, kid) for kid in ("k1", "k2", "k3")] == [{}, {}, {"mk:0": b"another's"}]
        noted = sa.select(Destroyed.of, Destroyed.at).order_by(Destroyed.of)
        assert put.execute(noted.where(Destroyed.to_kid == "k1")).all() == put.execute(noted.where(Destroyed.to_kid == "k2")).all() != []


def test_a_session_or_a_key_is_locked_and_others_stay_open(ring: Ring) -> None:
    with ring.begin() as put:
        for session, kid in (("a", "k1"), ("a", "k2"), ("b", "k1"), ("c", "k3")):
            wraps.put_unlocked(put, session, kid, b"box", 1)
        assert (wraps.lock(put, session_hash="a"), wraps.lock(put, kid="k1")) == (2, 1)
        assert [wraps.unlocked(put, session) for session in "abc"] == [{}, {}, {"k3": b"box"}]


async def test_on_the_event_loop_the_ring_answers_nobody_and_in_a_thread_it_does(ring: Ring) -> None:
    for way in (ring.begin, ring.look):
        with pytest.raises(RuntimeError, match="hold up the event loop"), way():
            pass
    await asyncio.to_thread(fill, ring)
    assert len((await asyncio.to_thread(rows, ring))["wrap"]) == 4


def test_who_waits_too_long_for_the_ring_is_told_to_come_again(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rings, "WAIT", 0.05)
    inside, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with ring.begin():
            inside.set()
            leave.wait(10)

    other = threading.Thread(target=stay)
    other.start()
    inside.wait(10)
    with pytest.raises(Unavailable), ring.begin():
        pass
    assert rows(ring)["wrap"] == [], "who only looks does not wait"
    leave.set()
    other.join()
    fill(ring)


def test_units_of_many_threads_do_not_get_into_each_others_way(ring: Ring) -> None:
    def put(number: int) -> None:
        for turn in range(5):
            with ring.begin() as one:
                wraps.put_wrap(one, f"mk:{number}:{turn}", "k", b"box", 1)

    threads = [threading.Thread(target=put, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows(ring)["wrap"]) == 30


def test_what_was_destroyed_is_named_by_kind_and_time_in_a_fixed_order(ring: Ring) -> None:
    with ring.begin() as one:
        for at, (of, to_kid) in enumerate([("mk:b", ""), ("ml:a", ""), ("ck:a", ""), ("mk:a", "k"), ("mk:a", "")]):
            wraps.destroy(one, of, at, to_kid=to_kid)
        assert wraps.noted(one, "mk:", 0) == [("mk:a", "", 4), ("mk:a", "k", 3), ("mk:b", "", 0)]
        assert wraps.noted(one, "mk:", 4) == [("mk:a", "", 4)]
        assert wraps.noted(one, "uk:", 0) == []
