"""Shows which reports of partners reach our moderators, how many at most, and that a report tells nobody more than its sender may see."""

from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.clock import iso, new_id, system_clock
from fedcollab.base.session import Session
from fedcollab.features.discussions import service
from fedcollab.features.discussions.moderation import acting, decide, inbound, records
from fedcollab.federation import activitystreams as ap
from tests.nodes import until

from .conftest import Scene

NOTHING = "reports nothing that is ours to moderate and theirs to see"


def flag(scene: Scene, about: object, *, content: object = "look at this", actor: str = "", **more: object) -> dict[str, Any]:
    return ap.activity("Flag", scene.p.uri(f"/flags/{new_id()}"), actor or scene.p.uri("/actor"), about, content=content, **more)


async def sent(scene: Scene, activity: dict[str, Any]) -> str:
    """Why it was refused, or nothing."""
    assert await scene.p.send(scene.here, activity) == 202
    await scene.here.quiet()
    [(state, reason)] = await scene.here.sql("SELECT state, reason FROM inbox_item WHERE uri = :uri", uri=activity["id"])
    return reason if state == "refused" else ""


async def queue(scene: Scene) -> list[records.Reported]:
    found: list[records.Reported] = await scene.here.read(records.queue, scene.here.viewer)
    return found


async def posted(scene: Scene, group_id: str = "", text: str = "ours") -> service.Posted:
    made: service.Posted = await scene.here.write(
        service.post_thread, scene.here.viewer, group_id or scene.group.id, title="A question", text=text
    )
    return made


async def colleague(scene: Scene) -> Viewer:
    """Another moderator of our node: nobody removes their own posts."""

    def make(session: Session, node: Node) -> Viewer:
        person = actors.create_own(session, node, actors.PERSON, username="mona", name="Mona")
        return Viewer(scene.here.viewer.organisation_id, person.id, frozenset({"moderator", "member"}), person.name)

    made: Viewer = await scene.here.write(make)
    return made


async def test_a_partners_report_stands_in_the_queue_under_its_organisation_and_is_answered(scene: Scene) -> None:
    post = await posted(scene)
    activity = flag(scene, [post.uri], content="It insults, threatens or shames somebody\n\nIn the second line.")
    assert await sent(scene, activity) == ""
    assert await sent(scene, activity) == "", "the same again"
    [found] = await queue(scene)
    assert [(r.organisation, r.own, r.reason, r.text) for r in found.reports] == [("Tamarind", False, "rude", "In the second line.")]
    await scene.here.write(decide.decide, await colleague(scene), post.post_id, "remove", "It does.")
    assert await queue(scene) == []
    await _answer(scene, "Accept", activity["id"], {"type": "Delete", "object": post.uri})


async def _answer(scene: Scene, kind: str, uri: str, result: object) -> None:
    async def answers() -> list[dict[str, Any]]:
        return [a for a in scene.p.received if a["type"] == kind and ap.ident(a["object"]) == uri]

    [answer] = await until("the answer", answers)
    assert (answer["actor"], answer.get("result"), answer["summary"]) == (scene.here.url + "/actor", result, "It does.")


async def test_nothing_to_do_is_answered_with_a_reject(scene: Scene) -> None:
    post = await posted(scene)
    activity = flag(scene, post.uri)
    assert await sent(scene, activity) == ""
    await scene.here.write(decide.decide, scene.here.viewer, post.post_id, "nothing", "It does.")
    await _answer(scene, "Reject", activity["id"], None)
    assert await scene.here.sql("SELECT removed FROM post WHERE uri = :uri", uri=post.uri) == [(None,)]


async def test_other_software_reports_an_actor_and_several_posts_by_its_instance_or_a_person(scene: Scene) -> None:
    one, two = await posted(scene), await posted(scene)
    author = scene.here.url + "/people/" + scene.here.viewer.person_id
    for actor in (scene.p.uri("/actor"), scene.author):
        assert await sent(scene, flag(scene, [author, one.uri, {"id": two.uri, "type": "Note"}], content=None, actor=actor)) == ""
    found = await queue(scene)
    assert {post.id: len(post.reports) for post in found} == {one.post_id: 2, two.post_id: 2}
    assert {report.organisation for post in found for report in post.reports} == {"Tamarind"}


@pytest.mark.rule("CONF-01")
async def test_a_report_of_what_its_sender_may_not_see_or_is_not_ours_has_no_effect(scene: Scene) -> None:
    closed = await scene.here.group("closed", "TLP:AMBER+STRICT")
    hidden = await posted(scene, closed.id)
    before = await scene.here.tables()
    for about in (
        hidden.uri,
        scene.here.url + f"/posts/{new_id()}",
        scene.group.uri,
        scene.here.url + "/actor",
        [],
        "http://127.0.0.1:1/o",
    ):
        assert await sent(scene, flag(scene, about)) == NOTHING
    after = await scene.here.tables()
    assert {name: rows for name, rows in after.items() if name != "inbox_item"} == {
        name: rows for name, rows in before.items() if name != "inbox_item"
    }
    assert await queue(scene) == []
    assert await sent(scene, flag(scene, (await posted(scene)).uri)) == ""
    assert len(await queue(scene)) == 1


@pytest.mark.rule("DOS-05")
async def test_a_flood_of_reports_ends_at_sixty_an_hour_and_names_at_most_twenty_posts_each(scene: Scene) -> None:
    posts = [await posted(scene, text=f"number {number}") for number in range(inbound.POSTS + 5)]
    everything = [post.uri for post in posts]
    for _ in range(3):
        assert await sent(scene, flag(scene, everything, content="x" * 50_000)) == ""
    assert await sent(scene, flag(scene, everything)) == "more than 60 reports within an hour"
    assert await sent(scene, flag(scene, everything[0])) == "more than 60 reports within an hour"
    rows = await scene.here.sql("SELECT count(*), max(length(text)) FROM flag")
    assert rows == [(inbound.AN_HOUR, 2000)]
    found = await queue(scene)
    assert len(found) == inbound.POSTS
    await scene.twin()
    await scene.here.kernel.database.write(_an_hour_later)
    assert await sent(scene, flag(scene, everything[0])) == ""


def _an_hour_later(session: Any) -> None:
    session.execute(sa.text("UPDATE flag SET at = at - 3600000001"))


async def test_a_report_is_closed_when_the_post_is_removed_by_another_way(scene: Scene) -> None:
    post = await posted(scene)
    assert await sent(scene, flag(scene, post.uri)) == ""
    await scene.here.write(acting.remove, await colleague(scene), post.post_id, "Because.")
    assert await queue(scene) == []
    assert await scene.here.sql("SELECT outcome, why FROM flag_receiver") == [("removed", "Because.")]


@pytest.mark.rule("ORG-05")
async def test_answers_count_from_those_alone_who_have_the_report(scene: Scene) -> None:
    post = await posted(scene)
    assert await sent(scene, flag(scene, post.uri)) == ""
    [(uri,)] = await scene.here.sql("SELECT uri FROM flag_receiver")
    accept = ap.activity("Accept", scene.p.uri(f"/activities/{new_id()}"), scene.p.uri("/actor"), {"id": uri, "type": "Flag"})
    assert await sent(scene, accept) == ""
    assert await scene.here.sql("SELECT outcome FROM flag_receiver") == [("",)], "nobody closes a report that lies with us"
    assert len(await queue(scene)) == 1


@pytest.mark.rule("ORG-05")
async def test_a_partner_cannot_say_that_a_post_was_not_taken_by_another_host(scene: Scene) -> None:
    post = await posted(scene)
    about = {"id": scene.here.url + "/activities/x", "type": "Create", "object": post.uri}
    reject = ap.activity("Reject", scene.p.uri(f"/activities/{new_id()}"), scene.p.uri("/actor"), about, summary="no")
    assert await sent(scene, reject) == "no post of ours that waits for its host"
    assert await scene.here.sql("SELECT refused FROM post WHERE uri = :uri", uri=post.uri) == [(None,)]
    await scene.twin()


async def test_a_late_answer_is_not_taken_and_its_author_is_told_why(scene: Scene) -> None:
    post = await posted(scene)
    [(thread,)] = await scene.here.sql("SELECT uri FROM thread WHERE id = :id", id=post.thread_id)
    await scene.here.write(acting.lock, scene.here.viewer, post.thread_id, "Enough said.")
    late = await scene.create(context=thread, inReplyTo=post.uri)
    assert await scene.p.send(scene.here, late) == 202
    assert not await scene.stored(late)

    async def rejects() -> list[dict[str, Any]]:
        return [a for a in scene.p.received if a["type"] == "Reject"]

    [reject] = await until("the refusal", rejects)
    assert (reject["object"]["id"], reject["summary"], reject["context"]) == (late["id"], "Enough said.", thread)
    await scene.here.write(acting.unlock, scene.here.viewer, post.thread_id, "Go on.")
    again = await scene.create(context=thread, inReplyTo=post.uri)
    assert await scene.p.send(scene.here, again) == 202
    assert await scene.stored(again)


async def test_a_change_of_a_removed_post_is_kept_and_goes_on_when_it_is_restored(scene: Scene) -> None:
    create = await scene.create(name="A question")
    obj: dict[str, Any] = create["object"]  # type: ignore[assignment]  # a Create's object is a document
    assert await scene.p.send(scene.here, create) == 202
    assert await scene.stored(create)
    [(post_id,)] = await scene.here.sql("SELECT id FROM post WHERE uri = :uri", uri=obj["id"])
    await scene.here.write(acting.remove, scene.here.viewer, post_id, "It names somebody.")
    changed = obj | {"content": "<p>without a name</p>", "updated": iso(system_clock())}
    update = scene.p.prove(ap.activity("Update", scene.p.uri(f"/activities/{new_id()}"), scene.author, changed), scene.author)
    assert await sent(scene, update) == ""

    async def passed_on() -> list[str]:
        return [
            ap.ident(a["object"]) for a in scene.p.received if a["type"] == "Announce" and ap.ident(a["object"].get("object")) == obj["id"]
        ]

    async def undone() -> list[dict[str, Any]]:
        return [a for a in scene.p.received if a["type"] == "Announce" and a["object"]["type"] == "Undo"]

    assert update["id"] not in await passed_on()
    await scene.here.write(acting.restore, scene.here.viewer, post_id, "It names nobody now.")
    await until("restored", undone)

    async def again() -> bool:
        return (await passed_on())[-2:] == [create["id"], update["id"]]

    await until("what its author signed", again)
    assert await scene.here.sql("SELECT html, removed FROM post WHERE id = :id", id=post_id) == [("<p>without a name</p>", None)]


async def test_what_was_written_before_a_partner_was_inside_and_came_after_it_can_be_reported_by_it(scene: Scene) -> None:
    inside = "audience_member JOIN audience ON audience.id = audience_id AND group_id != owner_id"  # a group, not somebody's library
    since = f"(SELECT max(since) FROM {inside})"
    late, old = await posted(scene), await posted(scene)

    def age(session: Session) -> None:
        session.execute(sa.text(f"UPDATE post SET posted_at = {since} - 9 WHERE id = :id"), {"id": late.post_id})
        session.execute(sa.text(f"UPDATE post SET posted_at = {since} - 9, confirmed_at = {since} - 8 WHERE id = :id"), {"id": old.post_id})

    await scene.here.read_write(age)
    assert await sent(scene, flag(scene, old.uri)) == NOTHING, "this one it was never sent"
    assert await sent(scene, flag(scene, late.uri)) == ""
    assert [one.id for one in await queue(scene)] == [late.post_id]
