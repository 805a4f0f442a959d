"""How an admin reads the record: by person, kind and day, page by page; checks it, takes a copy; and that nobody else does."""

import csv
import io
import itertools
import json
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.models import AuditEntry
from fedcollab.access.viewer import Viewer
from fedcollab.admin.record import KINDS, as_csv, choice, look
from fedcollab.admin.views import ACTIONS
from fedcollab.base.clock import DAY, HOUR
from fedcollab.base.i18n import words
from fedcollab.base.session import Session
from tests.features.conftest import House, house
from tests.rows import START, home, memory, node

__all__ = ["house"]
UTC = words("en", "UTC")


def fill(session: Session, number: int = 120) -> None:
    """Entries an hour apart, in turn of two people and the node itself, posts and partners."""
    for at in range(number):
        viewer = (Viewer(person_id="p1"), Viewer(person_id="p2"), None)[at % 3]
        audit.record(session, START + at * HOUR, viewer, ("post.create", "partner.add")[at % 2], f"s{at}")


def seqs(session: Session, before: int | None = None, **fields: str) -> list[int]:
    return [entry.seq for entry in look(session, choice(fields).wanted(UTC), before).entries]


def test_pages_hold_each_entry_once_and_end() -> None:
    with memory() as session:
        home(session, node())
        fill(session)
        found, before = list[int](), None
        while True:
            shown = look(session, choice({}).wanted(UTC), before)
            found += [entry.seq for entry in shown.entries]
            before = shown.older
            if before is None:
                break
        assert found == list(range(120, 0, -1))


def test_entries_are_chosen_by_person_kind_and_day() -> None:
    with memory() as session:
        home(session, node())
        fill(session, 48)
        assert seqs(session, who="p1") == list(range(46, 0, -3))
        assert seqs(session, who="-") == list(range(48, 0, -3)), "the node itself"
        assert seqs(session, kind="partner") == list(range(48, 0, -2))
        assert seqs(session, who="p2", kind="post") == [47, 41, 35, 29, 23, 17, 11, 5]
        day = UTC.day("2026-02-26")
        assert day is not None
        wanted = [entry.seq for entry in audit.newest(session) if day <= entry.at < day + DAY]
        assert wanted
        assert seqs(session, since="2026-02-26", until="2026-02-26") == wanted
        assert seqs(session, since="2026-02-26") == [seq for seq in range(48, 0, -1) if seq >= wanted[-1]]
        assert seqs(session, since="1999-99-99", until="never", kind="' OR 1=1", before=None) == list(range(48, 0, -1))
        assert seqs(session, who="' OR 1=1 --") == []


def test_a_day_is_the_readers_own_with_all_its_hours() -> None:
    vienna = words("en", "Europe/Vienna")
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)):
        wanted = choice({"since": day, "until": day}).wanted(vienna)
        assert wanted.since is not None
        assert wanted.until is not None
        assert wanted.until - wanted.since == hours * HOUR
    assert vienna.day("9999-12-31", 1) is None


async def test_the_page_shows_names_and_a_stranger_and_a_member_none_of_it(house: House) -> None:
    daan = await house.site.member("daan")
    status, text = await house.admin.get("/admin/audit?kind=member")
    assert status == 200
    assert "<bdi>Daan</bdi>" in text
    assert "Member added" in text
    assert "Node set up" not in text
    for path in ("/admin/audit", "/admin/audit?before=3"):
        assert (await daan.get(path))[0] == 404
        assert (await house.site.stranger().ask("GET", path))[0] == 303
    for path in ("/admin/audit/verify", "/admin/audit/export"):
        assert (await daan.post(path, form="csv"))[0] == 404
    assert (await house.admin.get("/admin/audit?before=junk&who=x&since=1&until=%00"))[0] in (200, 404)


async def test_reading_the_whole_record_goes_on_record_and_a_change_is_found(house: House) -> None:
    assert "Never read as a whole yet" in (await house.admin.get("/admin/audit"))[1]
    assert (await house.admin.post("/admin/audit/verify"))[:2] == (303, "/admin/audit")
    last = await house.site.kernel.database.read(audit.last_verified)
    assert last is not None
    assert "it holds" in (await house.admin.get("/admin/audit"))[1]

    def change(session: Session) -> None:
        session.execute(sa.update(AuditEntry).where(AuditEntry.seq == 2).values(subject="another"))

    await house.site.kernel.database.write(change)
    await house.admin.post("/admin/audit/verify")
    text = (await house.admin.get("/admin/audit"))[1]
    assert "broken at entry 2" in text
    assert ": broken" in text


async def test_a_copy_holds_the_choice_with_its_chain_and_no_name(house: House) -> None:
    await house.site.member("daan")
    status, _, text = await house.admin.post("/admin/audit/export", form="jsonl")
    assert status == 200
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert lines[-1]["action"] == "audit.export", "that it was taken is on record before it is"
    for one, after in itertools.pairwise(lines):
        assert after["prev"] == one["hash"]
        assert one["hash"] == audit.chain(one["prev"], one["seq"], one["at"], one["actor_id"], one["action"], one["subject"])
    assert "Daan" not in text
    _, headers, text = await house.admin.ask(
        "POST", "/admin/audit/export", {"form": "csv", "kind": "node", "token": await house.admin.token("/admin/audit")}
    )
    assert headers["Content-Disposition"] == 'attachment; filename="record.csv"'
    assert headers["X-Content-Type-Options"] == "nosniff"
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["action"] for row in rows] == ["node.init"]
    assert (await house.admin.post("/admin/audit/export", form="exe"))[0] == 400


@pytest.mark.parametrize("subject", ["=1+1", "+x", "-x", "@x", "\tx", "\rx"])
def test_a_table_takes_nothing_in_the_copy_for_a_formula(subject: str) -> None:
    entry = SimpleNamespace(seq=1, at=0, actor_id=None, action="partner.add", subject=subject, prev="0", hash="1")
    [row] = csv.reader(io.StringIO(as_csv([entry]), newline=""))
    assert row[4] == "'" + subject
    entry.subject = "node.example"
    assert next(csv.reader(io.StringIO(as_csv([entry]))))[4] == "node.example"


def test_every_action_belongs_to_a_kind_that_can_be_chosen_and_none_is_empty() -> None:
    assert {action.partition(".")[0] for action in ACTIONS} == set(KINDS)
    assert len(set(KINDS.values())) == len(KINDS)
