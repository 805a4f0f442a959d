"""The record of a sealed group on its page, and the group taken along as a signed file: for those in it alone, checked without a node."""

import html
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.admin import breach
from fedcollab.admin.views import ACTIONS
from fedcollab.features.rooms import filing, units
from fedcollab.features.rooms.entries import Thread
from fedcollab.features.rooms.on_record import ACTS
from fedcollab.sealing import head_telling, room_reads
from fedcollab.sealing.chain_models import RoomChain
from tests.features.cases.desks import Office
from tests.features.cases.filed import take
from tests.features.cases.test_case_export import run
from tests.features.rooms.offices import QUESTION, Shared, files, send, shared
from tests.nodes import until
from tests.web import forget_asking

TEXT = b"The house behind the mill.\n" * 300
SAID = {"title": QUESTION, "text": "The same picture.", "act": "send"}


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Shared]:
    async with shared(tmp_path) as made:
        await send(made.one["noor"], f"{made.group}/start", TEXT, "advert.txt", **SAID)
        there = made.there.rpartition("/")[2]
        await made.other.unlocked(
            "noor", units.at_once, there, filing.says, lambda _: Thread(at=1, title="Theirs", text="Written at Kivuli.")
        )
        wrote = "SELECT 1 FROM sealed_message WHERE organisation = :who AND id IN (SELECT message_id FROM group_entry WHERE about = '')"

        async def came() -> bool:
            page = (await made.one["noor"].get(made.group))[1]
            return "Theirs" in page and bool(await made.one.sql(wrote, who=made.other.me))

        await until("it has come", came)
        yield made


def lines(page: str) -> list[str]:
    found = page.partition('<ol class="rows"')[2].partition("</ol>")[0]
    return [html.unescape(re.sub("<[^>]+>", "", one)) for one in re.findall(r"<p>(.*?)</p>", found)]


async def tell(two: Shared) -> None:
    for at in (two.one, two.other):
        await at.site.write(lambda session, _node: session.execute(sa.update(RoomChain).values(told_at=0)) and None)
        await at.site.write(head_telling.tell)
    for at in (two.one, two.other):
        await until("the head is here", lambda at=at: at.sql("SELECT 1 FROM chain_head WHERE organisation <> :me", me=at.me))  # type: ignore[misc]
        await at.site.write(head_telling.countersign)
    for at in (two.one, two.other):
        await until("it is countersigned", lambda at=at: at.sql("SELECT 1 FROM chain_signed WHERE organisation = :me", me=at.me))  # type: ignore[misc]


@pytest.mark.rule("P9", "P4")
async def test_the_record_says_who_did_what_and_who_vouches_for_it_and_no_word_of_what_was_written(two: Shared) -> None:
    [(file_id, *_)] = await files(two.one)
    await take(two.one["noor"], f"{two.group}/files/{file_id}")
    page = (await two.one["noor"].get(f"{two.group}/record"))[1]
    assert "Has not countersigned ours yet" in page
    for line in (
        "Noor opened a file.",
        "Noor opened the group, for the first time on that day.",
        "Noor began the group.",
        "Noor invited Kivuli Support.",
        "Noor added an entry.",
    ):
        assert line in lines(page), lines(page)
    assert all(word not in page.partition("<main")[2] for word in (QUESTION, "The same picture", "advert.txt"))
    noor = re.findall(r'<option[^>]*value="([^"]+)"[^>]*>Noor', page)[0]
    assert all(line.startswith("Noor") for line in lines((await two.one["noor"].get(f"{two.group}/record?who={noor}"))[1]))
    await tell(two)
    page = (await two.one["noor"].get(f"{two.group}/record"))[1]
    assert "Has countersigned ours up to entry" in page
    assert "We follow theirs, up to entry" in page
    for name in ("daan", "mila", "ruth"):
        for where in ("/record", "/export"):
            assert (await two.one[name].get(f"{two.group}{where}"))[0] == 404
        assert (await two.one[name].post(f"{two.group}/export", at="/settings"))[0] == 404
    assert (await two.one.site.stranger().get(f"{two.group}/record"))[0] in (303, 401)


def test_every_act_in_a_group_has_its_words() -> None:
    of_groups = {action for action in ACTIONS if action.startswith("sealed.")}
    of_rooms = {action for action in ACTIONS if action.startswith("room.")}
    assert set(ACTS) == of_groups | of_rooms
    assert all("%(who)s" in text and " case" not in text for text in ACTS.values())


async def taken(at: Office, group: str, **more: str) -> bytes:
    form = {"token": await at["noor"].token(f"{group}/export")} | more
    status, headers, body = await at["noor"].ask("POST", f"{group}/export", form)
    assert (status, headers["Cache-Control"]) == (200, "no-store")
    assert headers["Content-Disposition"] == 'attachment; filename="group.jsonl"'
    return body.encode()


@pytest.mark.rule("P26")
async def test_what_is_taken_along_of_a_group_is_counted_where_a_breach_is_reported(two: Shared) -> None:
    await taken(two.one, two.group)
    found = await two.one.site.write(lambda session, node: breach.report(session, node, None, user="noor"))
    assert (found["downloads"], {act["action"]: act["times"] for act in found["acts"]}["sealed.export"]) == (1, 1)


@pytest.mark.rule("P9", "P23")
async def test_a_group_is_taken_along_on_record_and_checked_without_a_node(two: Shared, tmp_path: Path) -> None:
    await tell(two)
    _, gone, _ = await send(two.one["noor"], f"{two.group}/start", b"x\n", "gone.txt", title="Gone", text="CANARY-GONE", act="send")
    row = gone.rpartition("/")[2]
    await two.one["noor"].post(f"{two.group}/posts/{row}/remove", at=f"{two.group}/posts/{row}/remove")
    bundle = await taken(two.one, two.group, files="yes")
    assert b"CANARY-GONE" not in bundle
    said = [one["is"]["content"] for one in map(json.loads, bundle.splitlines()) if one["kind"] == "message" and "content" in one["is"]]
    assert {"The same picture.", "Written at Kivuli."} <= {one.get("text") for one in said}
    assert await two.one.sql("SELECT count(*) FROM room_entry WHERE action = 'sealed.export'") == [(1,)]
    assert await two.one.sql("SELECT count(*) FROM room_entry WHERE action = 'room.file_read'") == [(1,)]
    code, words = run(tmp_path, bundle, "--files", str(tmp_path / "files"))
    assert code == 0, words
    assert words.startswith("Sealed group, TLP:AMBER, made ")
    assert f"{two.other.me} has countersigned this record up to entry" in words
    assert "taken back or erased" in words
    assert [path.read_bytes() for path in (tmp_path / "files").iterdir()] == [TEXT]
    changed = bundle.replace(b"The same picture.", b"Another picture..")
    assert run(tmp_path, changed)[0] == 1
    [(file_id, *_)] = [one for one in await files(two.one) if one[1] == "here"]
    await two.one.site.write(_without_key, two.other.me)
    bundle = await taken(two.one, two.group)
    assert b"Written at Kivuli." not in bundle
    assert "sealed under a key that was not there" in run(tmp_path, bundle)[1]
    mark = f"{two.group}/files/{file_id}/mark"
    await two.one["noor"].post(mark, at=mark)
    bundle = await taken(two.one, two.group, files="yes")
    assert (b"advert.txt" in bundle, b'"kind":"piece"' in bundle) == (False, False)
    assert "a file that may show the abuse of a child" in run(tmp_path, bundle)[1]


def _without_key(session: Any, _node: Any, author: str) -> None:
    """Another's messages come anew, under a key that we have not."""
    session.execute(sa.text("UPDATE sealed_message SET ck = 'x' WHERE organisation = :who"), {"who": author})
    session.execute(sa.text("DELETE FROM group_entry WHERE message_id IN (SELECT id FROM sealed_message WHERE ck = 'x')"))


@pytest.mark.rule("P9")
async def test_taking_a_group_along_asks_for_the_password_again(two: Shared) -> None:
    token = await two.one["noor"].token(f"{two.group}/export")
    await forget_asking(two.one.site)
    status, headers, _ = await two.one["noor"].ask("POST", f"{two.group}/export", {"token": token})
    assert (status, headers["Location"].split("?")[0]) == (307, "/again")
    assert await two.one.sql("SELECT count(*) FROM room_entry WHERE action = 'sealed.export'") == [(0,)]


async def test_who_opened_a_groups_file_is_not_told_as_the_reading_of_a_case(two: Shared) -> None:
    [(file_id, *_)] = await files(two.one)
    await take(two.one["noor"], f"{two.group}/files/{file_id}")
    until_then = two.one.site.kernel.node.now() + room_reads.WEEK
    row = two.group.rpartition("/")[2]

    def told(session: Any, _node: Any) -> Any:
        noor = two.one["noor"].viewer.person_id
        return room_reads.waits(session, noor, until_then), room_reads.of(session, [row], room_reads.ended(until_then))

    assert await two.one.site.write(told) == (False, {})
