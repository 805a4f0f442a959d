"""When the disk is said to be full, what goes first when room runs out, and what is refused before it has run out; each with its twin."""

import os
import random
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY
from fedcollab.base.errors import StorageFull, Unavailable
from fedcollab.base.room import Room
from fedcollab.base.session import Session
from fedcollab.federation import outbox, retention
from fedcollab.federation.models import DONE, PARKED, WAITING, Activity, Delivery, InboxItem
from fedcollab.running import disk
from fedcollab.running.models import DiskSample
from tests.features.conftest import House
from tests.rows import SETTINGS, START, Hands, home, memory, node, organisation, partner, session_on

GB = 1_000_000_000


def room(free: int, total: int, reserve: int) -> Room:
    """A disk that is as it is said to be."""
    made = Room(Path(), reserve)
    made._figures, made._looked = (free, total), float("inf")
    return made


def at(made: Room, clock: Hands | None = None) -> Node:
    return Node(SETTINGS, b"k" * 32, clock or Hands(), room=made)


@pytest.mark.parametrize(
    ("free", "total", "wanted", "reusable", "low"),
    [
        (600, 100_000, 500, 0, False),
        (499, 100_000, 500, 0, True),
        (499, 100_000, 0, 0, False),
        (400, 1_000, 500, 0, False),  # the reserve is a twentieth: 50
        (49, 1_000, 500, 0, True),
        (400, 100_000, 500, 100, False),  # what the file has inside counts
        (49, 100_000, 500, 10_000, True),  # but its log grows beside it
    ],
)
def test_room_is_low_where_the_reserve_is_reached(free: int, total: int, wanted: int, reusable: int, low: bool) -> None:
    made = room(free, total, wanted)
    made.reusable = reusable
    assert made.low is low
    for need, error in ((made.need, StorageFull), (made.need_for_partners, Unavailable)):
        if low:
            with pytest.raises(error) as raised:
                need()
            assert raised.value.retry_after == 600
        else:
            need()


def test_a_node_without_a_place_always_has_room() -> None:
    Room().need()
    assert Room().figures() == (0, 0)


def test_a_real_disk_is_looked_at_once_a_second(tmp_path: Path) -> None:
    time = [0.0]
    made = Room(tmp_path, 1, lambda: time[0])
    free, total = made.figures()
    assert 0 < free < total
    made._figures = (1, 2)
    assert made.figures() == (1, 2)
    time[0] = 1.5
    assert made.figures()[1] == total


def test_who_asks_while_another_thread_looks_for_the_first_time_is_not_told_that_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, asked, statvfs = Room(tmp_path, 1), list[str](), os.statvfs

    def slow(path: Path) -> os.statvfs_result:
        if not asked:
            asked.append("another")
            made.need_for_file(1)
        return statvfs(path)

    monkeypatch.setattr(os, "statvfs", slow)
    made.need_for_file(1)
    assert asked


def test_a_disk_that_says_nothing_just_now_is_as_it_was(tmp_path: Path) -> None:
    time = [0.0]
    made = Room(tmp_path / "none", 500, lambda: time[0])
    made.need()
    made._figures = (100, 100_000)
    time[0] = 2.0
    assert made.low


def falling(days: int, daily: int, first: int = 20 * GB) -> list[tuple[int, int]]:
    return [(START + day * DAY, first - day * daily) for day in range(days)]


def test_the_forecast_is_when_the_room_sinks_to_the_reserve() -> None:
    assert disk.full_in(falling(14, GB), GB) == 6
    assert disk.full_in(falling(14, GB // 100), GB) == 1887
    assert disk.full_in(falling(3, GB), GB) == 17


def test_nothing_is_forecast_from_too_little_or_where_room_grows() -> None:
    assert disk.full_in([], GB) is None
    assert disk.full_in(falling(2, GB), GB) is None
    assert disk.full_in(falling(14, 0), GB) is None
    assert disk.full_in(falling(14, -GB), GB) is None
    assert disk.full_in(falling(14, 1000), GB) is None, "in centuries"


def test_one_nights_large_file_changes_nothing() -> None:
    samples = falling(14, GB // 10)
    spoiled = [(when, free - 15 * GB if number in (4, 9) else free) for number, (when, free) in enumerate(samples)]
    assert abs((disk.full_in(spoiled, GB) or 0) - (disk.full_in(samples, GB) or 0)) <= 9


@given(st.lists(st.tuples(st.integers(0, 2**50), st.integers(0, 2**45)), max_size=14), st.integers(0, 2**40))
def test_a_forecast_is_a_number_of_days_or_none(samples: list[tuple[int, int]], reserve: int) -> None:
    found = disk.full_in(sorted(samples), reserve)
    assert found is None or 0 <= found <= 3650


def test_a_sample_is_taken_once_a_day_and_two_months_are_kept() -> None:
    with memory() as session:
        clock = Hands()
        here = at(room(5 * GB, 10 * GB, GB), clock)
        for _ in range(100):
            disk.sample(session, here)
            disk.sample(session, here)
            clock.at += DAY
        kept = list(session.scalars(sa.select(DiskSample.at).order_by(DiskSample.at)))
        assert kept == [START + day * DAY for day in range(40, 100)]
        found = disk.look(session, here)
        assert (found.free, found.total, found.reserve, found.low, found.days) == (5 * GB, 10 * GB, GB // 2, False, None)


def test_a_node_that_knows_no_disk_takes_no_sample() -> None:
    with memory() as session:
        disk.sample(session, node())
        assert session.execute(sa.select(DiskSample)).all() == []


def kept(session: Session, here: Node) -> dict[str, list[str]]:
    """Deliveries, arrivals and activities of 3 and 10 days ago, done and not."""
    home(session, here)
    there = partner(session, here, "away.example")
    sender = organisation(session, "third.example")
    for number, (days, state) in enumerate(((3, DONE), (10, DONE), (10, WAITING), (10, PARKED))):
        then, name = here.now() - days * DAY, f"{days} {state}"
        row: dict[str, Any] = dict(id=f"a{number}", uri=f"https://home.example/a{number}", type="Create", actor_id=sender)
        row |= dict(object_uri="x", order_key="k", body=name, created_at=then, purge_at=then + outbox.KEPT)
        session.execute(sa.insert(Activity).values(**row))
        sent = dict(partner_id=there.id, seq=100 + number, activity_id=f"a{number}", order_key="k", state=state)
        session.execute(sa.insert(Delivery).values(**sent, done_at=then if state == DONE else None, error=name))
        came = dict(host="third.example", uri=f"https://third.example/{number}", sender_id=sender, order_key="k", body={}, state=state)
        session.execute(sa.insert(InboxItem).values(**came, received_at=then, reason=name))
    return left(session)


def left(session: Session) -> dict[str, list[str]]:
    asked = {"activities": Activity.body, "deliveries": Delivery.error, "arrivals": InboxItem.reason}
    return {name: sorted(text for text in session.scalars(sa.select(column)) if text[:1].isdigit()) for name, column in asked.items()}


def chores(session: Session, here: Node) -> None:
    for chore in (*retention.CHORES, *disk.CHORES, *retention.CHORES):
        chore(session, here)


@pytest.mark.rule("R6", "P10")
def test_what_partners_have_taken_goes_after_a_week_where_room_is_low_and_nothing_that_waits() -> None:
    with memory() as session:
        here = at(room(GB // 10, 100 * GB, GB))
        before = kept(session, here)
        chores(session, here)
        waits = [f"10 {PARKED}", f"10 {WAITING}", f"3 {DONE}"]
        assert left(session) == {"activities": waits, "deliveries": waits, "arrivals": waits}
        assert all(f"10 {DONE}" in names for names in before.values())


@pytest.mark.rule("R6")
def test_where_there_is_room_everything_stays_for_45_days() -> None:
    with memory() as session:
        here = at(room(50 * GB, 100 * GB, GB))
        before = kept(session, here)
        chores(session, here)
        assert left(session) == before


@pytest.mark.rule("R6")
async def test_what_adds_is_refused_with_its_text_and_what_takes_away_works(house: House) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:GREEN")
    posted = await house.site.thread(house.admin, group)
    made, text = house.site.kernel.node.room, f"text {random.random()}"
    real = made.wanted
    made.wanted, made._figures, made._looked = 500, (0, 100_000), float("inf")
    pages = ((f"/groups/{group}/new", {"title": "T"}), (f"/threads/{posted.thread_id}", {}), (f"/posts/{posted.post_id}/edit", {}))
    for path, more in pages:
        for act in ("send", "keep"):
            status, _, answer = await house.admin.post(path, at=path, text=text, act=act, **more)
            assert status == 507, (path, act)
            assert text in answer, "nothing that was typed is lost"
            assert "almost full" in answer
    status, _, answer = await house.admin.post("/groups/new", at="/groups/new", slug="more", name="More", label="TLP:GREEN")
    assert status == 507
    for path in ("/", "/groups", f"/threads/{posted.thread_id}", "/admin/audit", "/admin/members"):
        assert (await house.admin.get(path))[0] == 200, path
    assert (await house.admin.post("/admin/members/invite", at="/admin/members", role="member"))[0] == 200
    assert (await house.admin.post(f"/posts/{posted.post_id}/delete", at=f"/posts/{posted.post_id}/delete"))[0] == 303
    made.wanted, made._looked = real, float("-inf")
    path = f"/groups/{group}/new"
    assert (await house.admin.post(path, at=path, title="Again", text=text, act="send"))[0] == 303


def test_what_a_database_can_fill_before_it_grows_is_known(house_room: Session) -> None:
    assert disk.reusable_bytes(house_room) == 0
    house_room.execute(sa.text("CREATE TABLE filler (x TEXT)"))
    house_room.execute(sa.text("INSERT INTO filler VALUES (:x)"), {"x": "x" * 500_000})
    house_room.execute(sa.text("DELETE FROM filler"))
    assert disk.reusable_bytes(house_room) >= 490_000


@pytest.fixture
def house_room() -> Any:
    engine = sa.create_engine("sqlite://")
    with session_on(engine) as session:
        yield session
