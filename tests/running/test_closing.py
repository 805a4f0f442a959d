"""What becomes of members, partners and admins while the node is being worked on, and that all of it is as before afterwards."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.base.clock import HOUR, MICROSECONDS, MINUTE
from fedcollab.base.errors import BadRequest
from fedcollab.base.maintenance import Closed, Maintenance, UnderMaintenance, read
from fedcollab.base.session import Session
from fedcollab.features.discussions.models import Post
from fedcollab.running import closing
from tests.features.conftest import House

NOON = int(datetime(2026, 3, 1, 12, 0, tzinfo=UTC).timestamp()) * MICROSECONDS


def posts(session: Session) -> int:
    return int(session.execute(sa.select(sa.func.count()).select_from(Post)).scalar_one())


def actions(session: Session) -> list[str]:
    return [entry.action for entry in audit.newest(session, 3)]


async def test_members_read_when_it_is_back_and_admins_get_in(house: House) -> None:
    node = house.site.kernel.node
    daan, until = await house.site.member("daan"), node.now() + HOUR
    await closing.close(house.site.kernel, house.admin.viewer, until, "New disk <b>today</b>.")
    status, headers, text = await daan.ask("GET", "/groups", headers={"Accept-Language": "en"})
    assert status == 503
    assert 3500 <= int(headers["Retry-After"]) <= 3600
    assert f"back at about {datetime.fromtimestamp(until // MICROSECONDS, UTC):%H:%M}" in text
    assert "New disk &lt;b&gt;today&lt;/b&gt;." in text
    status, text = await house.admin.get("/groups")
    assert status == 200
    assert 'name="act" value="open"' in text
    await closing.open_again(house.site.kernel, house.admin.viewer)
    assert (await daan.get("/groups"))[0] == 200
    assert 'value="open"' not in (await house.admin.get("/groups"))[1]
    assert await house.site.kernel.database.read(actions) == ["node.open", "node.close", "member.add"]


async def test_who_is_signed_out_still_reaches_the_way_in_and_nothing_else(house: House) -> None:
    house.site.kernel.node.maintenance.begin(Closed(1))
    stranger = house.site.stranger()
    for path in ("/login", "/static/app.css", "/healthz"):
        assert (await stranger.get(path))[0] == 200, path
    for path in ("/", "/groups", "/settings", "/actor", "/nodeinfo/2.1", "/.well-known/webfinger?resource=x"):
        status, headers, text = await stranger.ask("GET", path)
        assert (status, headers["Retry-After"]) == (503, "300"), path
        assert "back at about" not in text


async def test_what_members_and_partners_send_is_not_taken_and_is_taken_afterwards(house: House) -> None:
    daan = await house.site.member("daan")
    group = await house.site.group(house.admin, "leads", "TLP:GREEN")
    form = {"title": "A question", "text": "Who knows?"}
    token = await daan.token(f"/groups/{group}/new")
    house.site.kernel.node.maintenance.begin(Closed(1))
    status, headers, _ = await daan.ask("POST", f"/groups/{group}/new", form | {"token": token, "act": "send"})
    assert (status, headers["Retry-After"]) == (503, "300")
    for path in ("/inbox", f"/groups/{group}/inbox"):
        signed = {"Signature": 'keyId="https://x.example/actor#main-key"', "Content-Type": "application/activity+json"}
        status, headers, text = await daan.ask("POST", path, headers=signed)
        assert (status, headers["Retry-After"], json.loads(text)["status"]) == (503, "300", 503)
    assert await house.site.kernel.database.read(posts) == 0
    house.site.kernel.node.maintenance.end()
    assert (await daan.ask("POST", f"/groups/{group}/new", form | {"token": token, "act": "send"}))[0] == 303
    assert await house.site.kernel.database.read(posts) == 1


def test_the_file_is_seen_by_every_process_and_after_a_restart(tmp_path: Path) -> None:
    file, time = tmp_path / "maintenance.json", [0.0]
    one, other = Maintenance(file), Maintenance(file, lambda: time[0])
    assert other.state() is None
    one.begin(Closed(7, 9, "w" * 900))
    assert other.state() is None, "it has looked within this second"
    time[0] = 1.0
    assert other.state() == Closed(7, 9, "w" * 500)
    assert Maintenance(file).state() == Closed(7, 9, "w" * 500)
    assert file.stat().st_mode & 0o777 == 0o600
    one.end()
    one.end()
    time[0] = 2.0
    assert other.state() is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"since": "x"}', "null", '{"until": 3}'])
def test_a_file_that_cannot_be_read_closes_the_node(tmp_path: Path, text: str) -> None:
    file = tmp_path / "maintenance.json"
    file.write_text(text)
    assert read(file) == Closed(0)


def test_a_look_costs_nothing_within_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Maintenance(tmp_path / "none", lambda: 5.0)
    made.state()
    monkeypatch.setattr("fedcollab.base.maintenance.read", lambda _file: os.abort())
    assert [made.state() for _ in range(100)] == [None] * 100


@pytest.mark.parametrize(("left", "wait"), [(None, 300), (-MINUTE, 60), (0, 60), (10 * MINUTE, 600), (100 * HOUR, 6 * 3600)])
def test_others_ask_again_when_it_is_back_and_neither_too_soon_nor_too_late(left: int | None, wait: int) -> None:
    error = UnderMaintenance(Closed(NOON, None if left is None else NOON + left), NOON)
    assert error.retry_after == wait


def test_a_time_is_understood_as_people_write_it() -> None:
    assert closing.when("", NOON, "UTC") is None
    assert closing.when("20m", NOON, "UTC") == NOON + 20 * MINUTE
    assert closing.when(" 2h ", NOON, "UTC") == NOON + 2 * HOUR
    assert closing.when("21:30", NOON, "Europe/Vienna") == NOON + 8 * HOUR + 30 * MINUTE
    assert closing.when("9:00", NOON, "UTC") == NOON + 21 * HOUR, "tomorrow"
    for wrong in ("soon", "25:00", "0m", "9999h", "1:7", "\u0665m2"):
        with pytest.raises(BadRequest):
            closing.when(wrong, NOON, "UTC")
