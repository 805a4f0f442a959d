"""What a new node still needs is seen from facts; the printed key is compared and forgotten; each admin reads one thing to do next."""

import os
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.admin import first
from fedcollab.admin.first import STEPS, at_home, look
from fedcollab.backup import keeping, printed, runs
from fedcollab.base import paths
from fedcollab.base.clock import DAY
from fedcollab.base.session import Session
from fedcollab.features.members.models import SecondFactor
from fedcollab.running.models import Said
from tests.features.conftest import House, house
from tests.rows import partner

__all__ = ["house"]
AT = "/admin/first"


async def done(house: House) -> set[str]:
    found = await house.site.kernel.database.read(look, house.site.kernel.node)
    return {name for name, yes in found.done.items() if yes}


def proved(session: Session, person_id: str) -> None:
    session.execute(sa.insert(SecondFactor).values(person_id=person_id, last_step=0, on_at=1))


async def write(house: House, work: Any, *args: Any) -> Any:
    return await house.site.kernel.database.write(work, *args)


async def test_each_step_is_done_when_its_fact_is_there(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = house.site.kernel.node
    assert await done(house) == set()
    await house.site.group(house.admin, "leads", "TLP:GREEN")
    assert await done(house) == {"group"}
    await write(house, partner, here, "friend.example")
    assert await done(house) == {"group", "partner"}
    await house.site.member("amal", "admin")
    assert await done(house) == {"group", "partner", "second"}
    form = {"language": "en", "time_zone": "UTC", "backup_keep": "14", "disk_reserve": "500", "log_level": "info", "log_format": "json"} | {
        "sealed_quota": "2000",
        "sealed_room_quota": "1000",
    }
    await house.admin.post("/admin/settings", at="/admin/settings", **form)
    assert await done(house) == {"group", "partner", "second", "place"}
    for row in await house.site.kernel.database.read(first.members.admins):
        assert "factor" not in await done(house)
        await write(house, proved, row.person_id)
    assert "factor" in await done(house)
    keeping.make(here.files, here.master_key)
    await write(house, runs.succeeded, here, str(tmp_path), "a", 1, 1)
    assert {step.name for step in STEPS} - await done(house) == {"paper", "off"}
    monkeypatch.setattr(first, "_elsewhere", lambda _place, _root: True)
    assert {step.name for step in STEPS} - await done(house) == {"paper"}


def test_another_disk_is_told_from_the_same_and_from_one_that_is_not_there(tmp_path: Path) -> None:
    assert not first._elsewhere(tmp_path, tmp_path.parent)
    assert not first._elsewhere(tmp_path / "none", tmp_path)
    assert first._elsewhere(Path("/proc"), tmp_path)
    assert not first._elsewhere(Path("backups"), tmp_path)


def test_where_a_backup_lies_is_read_from_the_list_of_mounts_without_touching_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = tmp_path / "mountinfo"
    listed.write_text(
        "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "30 21 0:50 / /mnt/the\\040share rw - nfs4 far.example:/x rw\n"
        "31 21 8:1 /srv /mnt/bound rw - ext4 /dev/sda1 rw\n"
    )
    monkeypatch.setattr(first, "MOUNTS", listed)
    stat, touched = os.stat, list[str]()
    monkeypatch.setattr(os, "stat", lambda path, **more: touched.append(str(path)) or stat(path, **more))
    for place, elsewhere in (
        ("/mnt/the share/meridian", True),
        ("/mnt/the", False),
        ("/mnt/bound/backups", False),
        ("/var/backups", False),
    ):
        assert first._elsewhere(Path(place), Path("/var/lib/fedcollab")) == elsewhere, place
    assert not [path for path in touched if path.startswith("/mnt")], "a share that hangs would hang whoever looks at home"


async def test_an_old_backup_is_none(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    here = house.site.kernel.node
    await write(house, runs.succeeded, here, "/mnt", "a", 1, 1)
    assert "backup" in await done(house)
    later = here.now() + 4 * DAY
    object.__setattr__(here, "clock", lambda: later)
    assert "backup" not in await done(house)
    found = await house.site.kernel.database.read(at_home, here)
    assert found is not None
    assert found.backup_days == 4


@pytest.mark.rule("OPS-02")
async def test_the_printed_key_is_compared_and_kept_nowhere(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(1)
    here = house.site.kernel.node
    other = keeping.make(here.files, here.master_key)
    key = keeping.make(here.files, here.master_key)
    text = (await house.admin.get(AT))[1]
    name = printed.name(printed.pair(key).public)
    assert name in text
    for wrong, said in (
        (" ".join(printed.groups(other)), "the key of other backups"),
        ("ABCDE", "There is a slip"),
        ("", "There is a slip"),
    ):
        status, _, text = await house.admin.post(AT, at=AT, act="key", key=wrong)
        assert status == 422
        assert said in text
        assert not wrong or wrong not in text, "it is not shown again"
    slip = printed.groups(key)
    slip[3] = slip[3][::-1] if slip[3][::-1] != slip[3] else "0" * 5
    assert (await house.admin.post(AT, at=AT, act="key", key=" ".join(slip)))[0] == 422
    assert "paper" not in await done(house)
    right = "-".join(printed.groups(key)).lower()
    assert (await house.admin.post(AT, at=AT, act="key", key=right))[:2] == (303, AT)
    assert "paper" in await done(house)
    assert "It was read from the paper" in (await house.admin.get(AT))[1]
    [entry, *_] = await house.site.kernel.database.read(audit.newest)
    assert (entry.action, entry.subject) == ("node.key_on_paper", name)
    plain = "".join(printed.groups(key))
    held = b"".join(path.read_bytes() for path in house.site.place.rglob("*") if path.is_file())
    for form in (plain, plain.lower(), right, " ".join(printed.groups(key))):
        assert form.encode() not in held
        assert form not in caplog.text
    assert key not in held
    keeping.make(here.files, here.master_key)
    assert "paper" not in await done(house), "a new key has to be written down again"


async def test_home_names_one_step_until_all_are_done_or_put_away(house: House) -> None:
    daan = await house.site.member("daan")
    text = (await house.admin.get("/"))[1]
    assert "First steps: 0 of 9 done" in text
    assert "Second factor for every admin" in text
    assert "A first partner" not in text
    assert "First steps" not in (await daan.get("/"))[1]
    assert (await daan.get(AT))[0] == 404
    assert (await daan.post(AT, act="away"))[0] == 404
    assert (await house.admin.post(AT, at=AT, act="away"))[:2] == (303, "/")
    assert "First steps" not in (await house.admin.get("/"))[1]
    assert "A first partner" in (await house.admin.get(AT))[1]
    await house.admin.post(AT, at=AT, act="back")
    assert "First steps: 0 of 9 done" in (await house.admin.get("/"))[1]


async def test_what_is_wrong_is_said_at_home_even_when_the_steps_are_put_away(house: House) -> None:
    here = house.site.kernel.node
    await house.admin.post(AT, at=AT, act="away")
    assert await house.site.kernel.database.read(at_home, here) is None
    await write(house, runs.failed, here, "/mnt", "gone")
    assert "The last backup failed." in (await house.admin.get("/"))[1]
    await write(house, runs.succeeded, here, "/mnt", "a", 1, 1)
    assert await house.site.kernel.database.read(at_home, here) is None
    here.room.wanted, here.room._figures, here.room._looked = 500, (0, 100_000), float("inf")
    assert "The disk is almost full" in (await house.admin.get("/"))[1]


async def test_what_is_said_twice_is_one_row(house: House) -> None:
    for _ in range(2):
        await house.admin.post(AT, at=AT, act="away")
    rows = await house.site.kernel.database.read(lambda session: [row.name for row in session.execute(sa.select(Said))])
    assert rows == ["first steps"]


async def test_the_steps_name_commands_as_this_machine_has_them(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = house.site.kernel.node.files.root
    assert f"fedcollab -C {root} backup key" in (await house.admin.get(AT))[1]
    monkeypatch.setattr(paths, "COMMAND", tmp_path)
    monkeypatch.setattr(paths, "NODES", root.resolve().parent)
    page, name = (await house.admin.get(AT))[1], root.resolve().name
    assert f'<code class="ltr">fedcollab-node {name} backup key</code>' in page
    assert f'<code class="ltr">systemctl start fedcollab-backup@{name}</code>' in page
    assert f"/deploy/install --node {name} --backups /mnt/backups/{name}</code>" in page
