"""Shows moderation on pages without script: reporting, the queue and its number, muting, and who finds none of it."""

import re

import pytest
import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.features.discussions import service
from fedcollab.features.discussions.moderation import acting, flags, records
from fedcollab.federation import partners
from tests.features.conftest import House
from tests.hostile import PAYLOADS, acted_on
from tests.rows import organisation
from tests.web import Visitor

HOME_ROWS = re.compile(r'<h3 class="title">.*?<a href="/threads/([\w-]+)"', re.DOTALL)


async def scene(house: House) -> tuple[Visitor, Visitor, service.Posted, service.Posted]:
    """A moderator, a member, and a conversation of ilse's with an answer by noor."""
    mona, daan = await house.site.member("mona", "member", "moderator"), await house.site.member("daan")
    noor = await house.site.member("noor")
    group = await house.site.group(house.admin, "leads", "TLP:GREEN")
    opener = await house.site.thread(house.admin, group)
    answer = await house.site.write(service.post_reply, noor.viewer, opener.thread_id, text="words of noor")
    return mona, daan, opener, answer


async def test_a_member_reports_a_post_and_reads_what_became_of_it(house: House) -> None:
    mona, daan, opener, answer = await scene(house)
    assert f'href="/posts/{answer.post_id}/report"' in (await daan.get(f"/threads/{opener.thread_id}"))[1]
    path = f"/posts/{answer.post_id}/report"
    status, _, page = await daan.post(path, path, text="Look at the second line.")
    assert status == 422
    assert "Choose what is wrong with the post." in page
    assert "Look at the second line.</textarea>" in page
    status, to, _ = await daan.post(path, path, reason="rude", text="Look at the second line.")
    assert (status, to) == (303, "/reports?sent=1")
    assert "open" in (await daan.get(to))[1]
    page = (await mona.get("/moderation"))[1]
    assert "Look at the second line." in page
    assert "Daan" not in page, "moderators read which organisation, not who"
    assert "1 to look at" in page
    status, _, page = await mona.post(f"/moderation/{answer.post_id}", "/moderation", act="remove", reason="")
    assert status == 422
    assert "Say why" in page
    status, to, _ = await mona.post(f"/moderation/{answer.post_id}", "/moderation", act="remove", reason="It insults.")
    assert (status, to) == (303, "/moderation")
    assert "to look at" not in (await mona.get("/moderation"))[1]
    page = (await daan.get("/reports"))[1]
    assert "closed: removed" in page
    assert "It insults." in page
    page = (await daan.get(f"/threads/{opener.thread_id}"))[1]
    assert "words of noor" not in page
    assert "It insults." in page
    assert (f"{opener.post_id}/thank" in page, f"{answer.post_id}/thank" in page) == (True, False), "nobody thanks for what is gone"
    assert "It insults." in (await daan.get(f"/threads/{opener.thread_id}/log"))[1]


async def test_who_reported_stands_in_no_record(house: House) -> None:
    _, daan, _, answer = await scene(house)
    before = await house.site.kernel.database.read(_entries, daan.viewer.person_id)
    await house.site.write(flags.make, daan.viewer, answer.post_id, reason="rude", text="")
    assert await house.site.kernel.database.read(_entries, daan.viewer.person_id) == before
    assert "flag.make" in [row[0] for row in await house.site.kernel.database.read(_entries, daan.viewer.organisation_id)]


def _entries(session: Session, actor_id: str) -> list[tuple[str, ...]]:
    found = session.execute(sa.text("SELECT action FROM audit_entry WHERE actor_id = :id"), {"id": actor_id})
    return [tuple(row) for row in found]


async def test_moderators_pages_exist_for_moderators_and_admins_alone(house: House) -> None:
    mona, daan, opener, answer = await scene(house)
    paths = ("/moderation", f"/posts/{answer.post_id}/moderate", f"/threads/{opener.thread_id}/moderate")
    for path in paths:
        assert (await daan.get(path))[0] == 404
        assert (await daan.post(path if path != "/moderation" else f"/moderation/{answer.post_id}", reason="x", act="remove"))[0] == 404
        assert (await house.site.stranger().get(path))[0] in (303, 404)
        for one in (mona, house.admin):
            assert (await one.get(path))[0] == 200
    assert "/moderation" not in (await daan.get("/"))[1]
    assert "words of noor" in (await daan.get(f"/threads/{opener.thread_id}"))[1]
    assert (await mona.post(paths[1], paths[1], reason="Because."))[0] == 303
    assert "words of noor" not in (await daan.get(f"/threads/{opener.thread_id}"))[1]


async def test_a_removed_post_is_read_on_none_of_its_pages(house: House) -> None:
    mona, daan, opener, _ = await scene(house)
    await house.site.write(service.edit, house.admin.viewer, opener.post_id, text="Other words.")
    await house.site.write(acting.remove, mona.viewer, opener.post_id, "Because.")
    thread, post = f"/threads/{opener.thread_id}", f"/posts/{opener.post_id}"
    for path in (thread, f"{thread}/log", f"{post}/history", f"{post}/report", "/", "/reports"):
        status, page = await daan.get(path)
        assert status == 200, path
        assert "What do you see" not in page, path
        assert "Other words" not in page, path
        assert "A question" not in page, path
    assert "Other words" in (await house.admin.get(thread))[1], "its author reads it"
    assert "Your post was removed" in (await house.admin.get("/"))[1]
    assert (await house.admin.post("/reports/read"))[1] == "/"
    assert "Your post was removed" not in (await house.admin.get("/"))[1]
    await house.site.write(acting.restore, mona.viewer, opener.post_id, "After all.")
    assert "Other words" in (await daan.get(thread))[1]


async def test_a_locked_conversation_says_why_and_keeps_what_was_typed(house: House) -> None:
    mona, daan, opener, _ = await scene(house)
    thread = f"/threads/{opener.thread_id}"
    path = f"{thread}/moderate"
    assert (await mona.post(path, path, reason="Enough said."))[0] == 303
    status, _, page = await daan.post(thread, text="My answer", act="send", once="")
    assert status == 422
    assert "Enough said." in page
    assert "My answer</textarea>" in page
    assert 'name="act" value="send"' not in page
    assert (await mona.post(path, path, reason="Go on."))[0] == 303
    assert (await daan.post(thread, thread, text="My answer", act="send", once=""))[0] == 303


async def test_what_a_member_mutes_is_folded_for_them_alone_and_told_to_nobody(house: House) -> None:
    mona, daan, opener, answer = await scene(house)
    noor = await house.site.kernel.database.read(_author, answer.post_id)
    before = await house.site.kernel.database.read(_counts)
    for subject in (noor, opener.thread_id):
        assert (await daan.post("/settings/muted", subject=subject))[1] == "/settings/muted"
        assert (await daan.post("/settings/muted", subject=subject))[0] == 303, "again"
    assert await house.site.kernel.database.read(_counts) == before, "no record, nothing sent"
    thread = (await daan.get(f"/threads/{opener.thread_id}"))[1]
    folded = re.search(r'<details class="quiet"><summary>.*?</details>', thread, re.DOTALL)
    assert folded
    assert "words of noor" in folded.group(0), "with a way to look"
    assert "What do you see" not in folded.group(0)
    assert opener.thread_id not in HOME_ROWS.findall((await daan.get("/"))[1])
    assert opener.thread_id in HOME_ROWS.findall((await mona.get("/"))[1])
    assert "quiet" not in (await mona.get(f"/threads/{opener.thread_id}"))[1]
    page = (await daan.get("/settings/muted"))[1]
    assert "Noor" in page
    assert "A question" in page
    for subject in (noor, opener.thread_id):
        await daan.post("/settings/muted", subject=subject, act="show")
    assert opener.thread_id in HOME_ROWS.findall((await daan.get("/"))[1])
    assert "quiet" not in (await daan.get(f"/threads/{opener.thread_id}"))[1]


def _author(session: Session, post_id: str) -> str:
    return str(session.scalar(sa.text("SELECT author_id FROM post WHERE id = :id"), {"id": post_id}))


def _counts(session: Session) -> list[int]:
    return [session.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar_one() for name in ("audit_entry", "activity", "delivery")]


async def test_nobody_mutes_themselves_or_what_they_cannot_see(house: House) -> None:
    _, daan, opener, _ = await scene(house)
    assert (await daan.post("/settings/muted", subject=daan.viewer.person_id))[0] == 422
    for subject in ("none", "", house.site.url, opener.post_id):
        assert (await daan.post("/settings/muted", subject=subject))[0] == 404
    assert (await daan.post("/settings/muted", subject=opener.thread_id))[0] == 303


@pytest.mark.rule("XSS-01")
async def test_markup_in_reports_and_reasons_is_shown_as_typed_and_never_acted_on(house: House) -> None:
    mona, daan, opener, answer = await scene(house)
    organisation = mona.viewer.organisation_id

    def reported(session: Session, node: Node) -> None:
        for payload in PAYLOADS:
            flag_id = flags.store(session, node, answer.post_id, organisation, "", payload)
            flags.receive(session, flag_id, organisation, "")

    await house.site.write(reported)
    page = (await mona.get("/moderation"))[1]
    assert page.count('<p class="said"') == len(PAYLOADS)
    assert acted_on(page.replace('class="said"', 'class="text"')) == []
    for number, payload in enumerate(PAYLOADS):
        work = acting.remove if number % 2 == 0 else acting.restore
        await house.site.write(work, mona.viewer, answer.post_id, payload)
    for path in (f"/threads/{opener.thread_id}", f"/threads/{opener.thread_id}/log", "/reports", "/"):
        for one in (mona, daan):
            page = (await one.get(path))[1]
            assert acted_on(page.replace("<bdi>", '<bdi class="text">')) == [], path
    entries = await house.site.kernel.database.read(records.log, daan.viewer, opener.thread_id)
    assert len(entries) == (len(PAYLOADS) + 1) // 2


async def test_reports_of_a_post_that_nobody_sees_any_more_can_still_be_closed(house: House) -> None:
    mona, daan, _, answer = await scene(house)
    other = await house.site.write(anothers, "p.example", answer.post_id)
    await house.site.write(flags.make, daan.viewer, answer.post_id, reason="rude", text="Look.")
    await house.site.write(partners.block, mona.viewer, other)
    assert (await mona.get(f"/posts/{answer.post_id}/moderate"))[0] == 404
    page = (await mona.get("/moderation"))[1]
    assert "Nobody here can read it any more." in page
    assert "words of noor" not in page
    assert 'value="remove"' not in page
    assert f'href="/posts/{answer.post_id}"' not in page, "it would lead nowhere"
    status, to, _ = await mona.post(f"/moderation/{answer.post_id}", "/moderation", act="nothing", reason="They are blocked.")
    assert (status, to) == (303, "/moderation")
    assert "No report is open." in (await mona.get("/moderation"))[1]
    assert (await mona.post(f"/moderation/{answer.post_id}", act="nothing", reason="x"))[0] == 404, "none is open now"


def anothers(session: Session, _: Node, host: str, post_id: str) -> str:
    """The post is of another organisation's; answers that one's row id."""
    found = organisation(session, host)
    session.execute(sa.text("UPDATE post SET organisation_id = :o WHERE id = :id"), {"o": found, "id": post_id})
    return found


async def test_the_page_says_what_removing_an_old_post_of_another_organisation_cannot_undo(house: House) -> None:
    mona, _, _, answer = await scene(house)
    path, words = f"/posts/{answer.post_id}/moderate", "the other organisations cannot get it back"
    assert words not in (await mona.get(path))[1]
    old = sa.text("UPDATE actor SET known = 'partner' WHERE id = (SELECT author_id FROM post WHERE id = :id)")
    await house.site.kernel.database.write(lambda session: session.execute(old, {"id": answer.post_id}))
    await house.site.kernel.database.write(lambda session: session.execute(sa.text("UPDATE activity SET body = ''")))
    assert words in (await mona.get(path))[1]
