"""What an admin reads of the node itself, what they change there, and that no secret stands on the page and nobody else sees it."""

import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.admin.settings import WRONG, lines
from fedcollab.backup import keeping, printed, runs
from fedcollab.base import config
from fedcollab.base.clock import DAY, HOUR
from fedcollab.base.paths import NodeFiles
from fedcollab.features.discussions import drafts
from fedcollab.features.discussions.models import Draft
from fedcollab.federation.models import Receipt
from fedcollab.federation.retention import purge_receipts
from fedcollab.running.kept import kept
from tests.features.conftest import House, house
from tests.rows import SETTINGS, Hands, home, memory, node
from tests.web import site

__all__ = ["house"]
TOKEN = "a-secret-of-the-watcher"
AT = "/admin/settings"
FORM = {"language": "en", "time_zone": "UTC", "backup_keep": "14", "disk_reserve": "500", "log_level": "info", "log_format": "json"} | {
    "sealed_quota": "2000",
    "sealed_room_quota": "1000",
}


async def test_the_page_says_how_the_node_is_and_a_member_and_a_stranger_see_none_of_it(house: House) -> None:
    status, text = await house.admin.get(AT)
    assert status == 200
    for words in ("The database answers", "Nothing says that it will be", "backup key", "45 days", "base_url"):
        assert words in text, words
    daan = await house.site.member("daan")
    assert (await daan.get(AT))[0] == 404
    assert (await house.site.stranger().ask("GET", AT))[0] == 303
    before = (house.site.place / "node.toml").read_text()
    for path in (AT, "/admin/maintenance"):
        assert (await daan.post(path, **FORM, act="close"))[0] == 404
    assert (house.site.place / "node.toml").read_text() == before
    assert house.site.kernel.node.maintenance.state() is None


@pytest.mark.rule("OPS-01")
async def test_no_secret_stands_on_the_page(tmp_path: Path) -> None:
    async with site(tmp_path, metrics_token=TOKEN) as made:
        ilse = await made.member("ilse", "admin", "member")
        text = (await ilse.get(AT))[1]
        assert TOKEN not in text
        assert "set, and shown to nobody" in text
        assert TOKEN not in repr(made.kernel.node)
        assert made.kernel.node.master_key.hex() not in text


def test_a_password_in_an_address_is_no_value_to_show() -> None:
    settings = config.parse({"name": "A", "base_url": "https://a.example", "database_url": "postgresql://u:hush@db/x"}, {})
    here = node()
    object.__setattr__(here, "settings", settings)
    assert "hush" not in repr(lines(here, {}, {}))
    assert "hush" not in repr(settings)


def test_each_setting_says_where_it_comes_from_and_what_waits_for_a_restart() -> None:
    found = {one.name: one for one in lines(node(), {"name": SETTINGS.name, "language": "fr"}, {"FEDCOLLAB_LOG_LEVEL": "info"})}
    assert set(found) == set(vars(SETTINGS))
    assert (found["name"].source, found["language"].source) == ("file", "file")
    assert (found["log_level"].source, found["backup_keep"].source) == ("environment", "default")
    assert [name for name, one in found.items() if one.waits] == ["base_url", "language"]
    assert not any(one.waits for one in lines(node(), {}, {})), "a file that can't be read says nothing"


async def test_what_is_changed_stands_in_the_file_on_record_and_counts_from_the_next_start(house: House) -> None:
    file = house.site.place / "node.toml"
    file.write_text("# ours\n" + file.read_text())
    changed = FORM | {"language": "fr", "backup_keep": "30", "outside_servers": "yes"}
    assert (await house.admin.post(AT, at=AT, **changed))[:2] == (303, "/admin/settings?saved=1#change")
    after = config.load(house.site.place, {})
    assert (after.language, after.backup_keep, after.outside_servers, after.disk_reserve) == ("fr", 30, True, 500)
    assert file.read_text().startswith("# ours\n")
    assert house.site.kernel.node.settings.language == "en"
    assert "changed, waits for a restart" in (await house.admin.get(AT))[1]
    [entry, *_] = await house.site.kernel.database.read(audit.newest)
    assert (entry.action, entry.subject) == ("node.settings", "backup_keep,language,outside_servers,time_zone")  # the last as it comes
    await house.admin.post(AT, at=AT, **changed)
    assert [e.action for e in await house.site.kernel.database.read(audit.newest)].count("node.settings") == 1, "nothing was changed"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("language", "xx"),
        ("time_zone", "Nowhere/City"),
        ("time_zone", 'UTC"\nbase_url = "https://evil.example'),
        ("backup_keep", "0"),
        ("backup_keep", "-1"),
        ("backup_keep", "two"),
        ("disk_reserve", "1e3"),
        ("sealed_quota", "-1"),
        ("sealed_room_quota", "100000001"),
        ("disk_reserve", "99999999999999"),
        ("log_level", ""),
        ("log_format", "xml"),
    ],
)
async def test_a_value_that_the_node_would_not_start_with_is_refused(house: House, name: str, value: str) -> None:
    before = (house.site.place / "node.toml").read_text()
    status, _, text = await house.admin.post(AT, at=AT, **FORM | {name: value})
    assert status == 422
    assert WRONG[name] in text
    assert (house.site.place / "node.toml").read_text() == before


async def test_what_the_environment_sets_is_not_changed_here(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "FEDCOLLAB_LANGUAGE", "en")
    assert (await house.admin.post(AT, at=AT, **FORM | {"language": "fr", "log_level": "error"}))[0] == 303
    after = config.load(house.site.place, {})
    assert (after.language, after.log_level) == ("en", "error")


async def test_the_button_closes_the_node_and_opens_it(house: House) -> None:
    place = "/admin/maintenance"
    assert (await house.admin.post(place, at=AT, act="close", minutes="60", words="New disk."))[0] == 303
    found = house.site.kernel.node.maintenance.state()
    assert found is not None
    assert found.words == "New disk."
    assert found.until is not None
    assert abs(found.until - house.site.kernel.node.now() - HOUR) < HOUR // 60
    assert (await house.admin.post(place, at=AT, act="open"))[0] == 303
    assert house.site.kernel.node.maintenance.state() is None
    for minutes in ("", "7", "-5", "x"):
        await house.admin.post(place, at=AT, act="close", minutes=minutes)
        found = house.site.kernel.node.maintenance.state()
        assert found is not None
        assert found.until is None


async def test_backups_and_a_failure_are_shown_with_the_keys_name(house: House) -> None:
    here = house.site.kernel.node
    key = keeping.make(NodeFiles(house.site.place), here.master_key)
    await house.site.kernel.database.write(runs.succeeded, here, "/mnt/backups", "a", 5_000_000_000, 1)
    text = (await house.admin.get(AT))[1]
    assert printed.name(printed.pair(key).public) in text
    assert "5 GB" in text
    assert "The last attempt failed" not in text
    await house.site.kernel.database.write(runs.failed, here, "/mnt/backups", "no <such> disk")
    text = (await house.admin.get(AT))[1]
    assert "no &lt;such&gt; disk" in text
    assert "/mnt/backups" in text


def test_the_table_of_what_is_kept_goes_by_the_figures_of_the_code() -> None:
    days = {one.what: one.days for one in kept(21)}
    assert days["Drafts"] == drafts.KEPT // DAY
    assert days["Backups"] == 21
    assert days["What went to partners and came from them"] == 45


@pytest.mark.rule("P10")
def test_old_drafts_and_answered_receipts_go_and_questions_without_an_answer_stay() -> None:
    with memory() as session:
        clock = Hands()
        here = node(clock)
        me = home(session, here)
        for place, days in (("old", 181), ("new", 179)):
            row = dict(person_id=me.id, place=place, title="", text="x", updated_at=here.now() - days * DAY)
            session.execute(sa.insert(Draft).values(**row))
        for name, state, days in (("a", "confirmed", 366), ("b", "confirmed", 364), ("c", "sent", 900)):
            row = dict(activity_uri=name, organisation_uri=name, object_uri="o", name=name, state=state, sent_at=here.now() - days * DAY)
            session.execute(sa.insert(Receipt).values(**row))
        drafts.forget_drafts(session, here)
        purge_receipts(session, here)
        assert list(session.scalars(sa.select(Draft.place))) == ["new"]
        assert sorted(session.scalars(sa.select(Receipt.name))) == ["b", "c"]
