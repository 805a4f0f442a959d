"""Shows that a partner's activities, however deep, many, large or often, cost a stated amount, and that its next good one is taken."""

import json
from typing import Any

import pytest

from fedcollab.base import markup
from fedcollab.base.clock import HOUR, iso, new_id, system_clock
from fedcollab.base.errors import TooLarge
from fedcollab.features.discussions import service
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import workers
from tests.nodes import Rogue
from tests.timing import spending

from .conftest import Scene
from .test_origins_refused import Canary, canary, names

__all__ = ["Canary", "canary", "names"]


@pytest.mark.rule("DOS-04")
@pytest.mark.parametrize(
    "deep",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"id": "HERE/a/1", "type": "Create", "x": ' + b"[" * 33 + b"]" * 33 + b"}",
        b'{"id": "HERE/a/1", "type": "Create", "object": ' + b'{"object": ' * 40 + b"1" + b"}" * 41,
    ],
)
async def test_nesting_without_end_is_refused_signed_and_unsigned(scene: Scene, deep: bytes) -> None:
    before, body = await scene.here.tables(), deep.replace(b"HERE", scene.p.url.encode())
    assert await scene.p.send(scene.here, body, actor=scene.author) == 400
    assert await scene.p.send(scene.here, body, actor=scene.author, headers={"Signature": "x"}) == 401
    assert await scene.here.tables() == before
    await scene.twin()


@pytest.mark.rule("DOS-04")
async def test_a_nested_document_that_is_fetched_is_refused_as_well(scene: Scene) -> None:
    x, good = scene.p.actor("/people/deep", "Person"), scene.p.actor("/people/shallow", "Person")
    for value in ("[" * 5000 + "]" * 5000, '{"a":' * 5000 + "1" + "}" * 5000, "[" + "1," * 20_000 + "1]"):
        scene.p.documents["/people/deep"] = raw_document(json.dumps(x)[:-1] + f', "x": {value}}}')
        scene.here.kernel.sought._misses.clear()  # a key that could not be had is not asked for again within a minute
        assert await scene.p.send(scene.here, scene.p.create(x["id"], scene.group.uri)) == 401
    assert await scene.p.send(scene.here, scene.p.create(good["id"], scene.group.uri)) == 202
    await scene.twin()


def raw_document(text: str) -> Any:
    from aiohttp import web

    return lambda _request: web.Response(body=text.encode(), content_type=ap.MEDIA_TYPE)


LENGTHS = "SELECT length(p.html), length(t.title) FROM post p JOIN thread t ON t.id = p.thread_id WHERE p.uri = :uri"
MANY = [f"https://x.test/{number}" for number in range(100_000)]
FLOODS: dict[str, dict[str, Any]] = {
    "to": {"to": MANY},
    "cc": {"cc": MANY},
    "tag": {"tag": [{"type": "Mention", "href": one} for one in MANY[:20_000]]},
    "attachment": {"attachment": [{"type": "Document", "url": one} for one in MANY[:20_000]]},
    "a poll": {"type": "Question", "oneOf": [{"type": "Note", "name": one} for one in MANY[:10_001]]},
    "a name of a megabyte": {"name": "n" * 1_000_000},
    "a tag of a megabyte": {"tag": [{"type": "Hashtag", "name": "#" + "n" * 1_000_000}]},
    "a language map": {"contentMap": {f"x-{number}": "x" for number in range(20_000)}},
    "a summary": {"content": "", "summary": "s" * 1_000_000},
}
FITS: dict[str, dict[str, Any]] = {
    "many to": {"to": MANY[:4000]},
    "many tags": {"tag": [{"type": "Mention", "href": one} for one in MANY[:3000]]},
    "many authors' words": {"inReplyTo": MANY[:4000]},
    "a long name": {"name": "n" * 800_000},
    "a long name of marks": {"name": "e" + "\u0301" * 100_000},
    "a long label of a tag": {"tag": [{"type": "Hashtag", "name": "#" + "n" * 800_000}]},
    "a poll": {"type": "Question", "oneOf": [{"type": "Note", "name": one} for one in MANY[:3000]]},
    "many languages": {"contentMap": {f"x-{number}": "x" for number in range(4000)}},
    "a long post": {"content": "<p>" + "word " * 19_000 + "</p>"},
    "many paragraphs": {"content": "<p>a</p>" * 12_000},
    "one word": {"content": "w" * 99_000},
}


@pytest.mark.rule("DOS-05")
@pytest.mark.parametrize("what", FLOODS)
async def test_more_of_anything_than_is_read_is_refused_whole(scene: Scene, what: str) -> None:
    before = await scene.here.tables()
    assert await scene.p.send(scene.here, await scene.create(**FLOODS[what])) in (400, 413)
    assert await scene.here.tables() == before
    await scene.twin()


@pytest.mark.rule("DOS-05")
async def test_much_of_anything_that_is_read_is_cut_where_it_is_kept(scene: Scene) -> None:
    for what, note in FITS.items():
        activity = await scene.create(**note)
        assert await scene.p.send(scene.here, activity) == 202, what
        await scene.here.quiet()
        uri = activity["object"]["id"]  # type: ignore[index]
        row = await scene.here.sql(LENGTHS, uri=uri)
        for html, title in row:
            assert html < 400_000, what
            assert title <= 200, what
    assert await scene.here.sql("SELECT state, count(*) FROM inbox_item WHERE state NOT IN ('done', 'refused') GROUP BY state") == []
    assert (await scene.here.sql("SELECT count(*) FROM post"))[0][0] >= len(FITS) - 2
    await scene.twin()


@pytest.mark.rule("DOS-06")
async def test_pages_that_lead_to_pages_are_not_followed_without_end(scene: Scene) -> None:
    """Nothing that an activity names is a collection that is read yet; what reads one later has to end after ten pages."""
    made = {"count": 0}

    def endless(request: Any) -> Any:
        from aiohttp import web

        made["count"] += 1
        uri, following = scene.p.url + request.path_qs, scene.p.uri(f"/pages/{made['count']}")
        ways = {"/replies/self": uri, "/replies/start": scene.p.uri("/replies/start")}
        first = ways.get(request.path, following)
        page = {"@context": ap.CONTEXT, "id": uri, "type": "OrderedCollectionPage", "orderedItems": [], "next": first, "first": first}
        return web.json_response(page, content_type=ap.MEDIA_TYPE)

    for way in ("self", "fresh", "start"):
        scene.p.documents[f"/replies/{way}"] = endless
    scene.p.documents |= {f"/pages/{number}": endless for number in range(200)}
    for way in ("self", "fresh", "start"):
        to = scene.p.uri(f"/replies/{way}")
        activity = await scene.create(replies=to, context=to, first=to, next=to, likes=to, shares=to)
        assert await scene.p.send(scene.here, activity) == 202
    actor = scene.p.actor("/people/pages", "Person", outbox=scene.p.uri("/replies/self"), followers=scene.p.uri("/replies/fresh"))
    assert await scene.p.send(scene.here, scene.p.create(actor["id"], scene.group.uri)) == 202
    await scene.here.quiet()
    assert made["count"] <= 10
    await scene.twin()


@pytest.mark.rule("DOS-11")
async def test_a_chain_of_answers_by_ever_new_people_is_not_walked(scene: Scene, names: list[str]) -> None:
    fetched = len(scene.p.fetched)
    for number in range(30):
        activity = await scene.create(
            inReplyTo=f"https://n{number}.p.test/posts/{number}",
            context=scene.p.uri(f"/threads/{number}"),
            tag=[{"type": "Mention", "href": f"https://n{number}.p.test/people/{n}"} for n in range(50)],
        )
        assert await scene.p.send(scene.here, activity) == 202
    await scene.here.quiet()
    assert len(scene.p.fetched) == fetched
    assert names == []
    await scene.twin()


@pytest.mark.rule("DOS-11")
async def test_one_activity_makes_at_most_twenty_fetches_however_much_is_missing(scene: Scene, names: list[str]) -> None:
    """A group of the partner's announces posts by people that nobody knows, each on a host of its own."""
    group = scene.p.actor("/groups/theirs", "Group")
    fetched = len(scene.p.fetched)
    for number in range(25):
        author = f"https://n{number}.p.test/people/x"
        inner = ap.activity("Create", f"https://n{number}.p.test/a/{number}", author, {"id": f"https://n{number}.p.test/o", "type": "Note"})
        announce = ap.activity("Announce", scene.p.uri(f"/activities/{new_id()}"), group["id"], inner)
        assert await scene.p.send(scene.here, scene.p.prove(announce, group["id"])) == 202
    await scene.here.quiet()
    assert len(scene.p.fetched) - fetched <= workers.FETCHES
    assert names == [], "hosts of no partner are not even looked up"
    await scene.twin()


N = 100_000
PATTERNS = {
    "brackets": "[" * N,
    "brackets and ends": "[]" * (N // 2),
    "images": "![" * (N // 2),
    "links": "[a](" * (N // 4),
    "references": "[a]: <" * (N // 6),
    "stars": "*a_" * (N // 3),
    "stars alone": "*" * N,
    "bars": "_" * N,
    "comments": "<!--" * (N // 4),
    "instructions": "<?" * (N // 2),
    "cdata": "<![CDATA[" * (N // 9),
    "at signs": "@" * N,
    "mentions": "a@" * (N // 2),
    "addresses": "http://" * (N // 7),
    "an address": "http://" + "a" * N,
    "dots": "https://x.test/" + "." * N,
    "ticks": "`" * N,
    "ticks of all lengths": "".join("`" * number + " " for number in range(440)),
    "quotes": ">" * N,
    "quotes in lines": "> " * (N // 2),
    "lists": "".join(" " * (4 * (number % 100)) + "- a\n" for number in range(1000)),
    "numbers": "1. " * (N // 3),
    "tables": "|" * N,
    "rows": "|-" * (N // 2) + "\n" + "|a" * (N // 2),
    "fences": "~~~\n" * (N // 4),
    "headings": "#" * N,
    "rules": "-" * N,
    "underlines": "a\n=\n" * (N // 4),
    "backslashes": "\\" * N,
    "entities": "&" * N,
    "numbers of entities": "&#" * (N // 2) + "9" * 100,
    "open tags": "<a href='" * (N // 9),
    "attributes": "<a " + "b=c " * (N // 4) + ">",
    "open paragraphs": "<p>" * (N // 3),
    "closed paragraphs": "</p>" * (N // 4),
    "bold": "<b>" * (N // 3),
    "nested quotes": "<blockquote>" * (N // 12),
    "nested lists": "<ul><li>" * (N // 8),
    "blanks": " " * N + "x",
    "tabs": "\t" * N + "x",
    "lines": "\n" * N,
    "carriage returns": "\r" * N,
    "marks": "e" + "\u0301" * (N - 1),
    "directions": "\u202e" * N,
    "emails": "<a@" * (N // 3) + "b.test>",
}


@pytest.mark.rule("DOS-12")
@pytest.mark.parametrize("what", PATTERNS)
def test_text_made_for_patterns_costs_under_a_second(what: str) -> None:
    """As a member's Markdown, as a partner's HTML, and as a name."""
    text = PATTERNS[what]
    with spending() as spent:
        for source in (text, text[: markup.LONGEST]):
            try:
                assert len(markup.render(source)) < 30 * len(source) + 1000
            except TooLarge:
                assert len(source) > 5_000
    assert spent.seconds < 1
    with spending() as spent:
        assert len(markup.clean(text)) < 30 * len(text) + 1000
        markup.first_words(text, 80)
        markup.plain(text, 200)
    assert spent.seconds < 1


def change(p: Rogue, author: str, obj: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An Update of a post, which says that it is newer than all before."""
    changed = obj | {"updated": iso(system_clock())} | fields
    return p.prove(ap.activity("Update", p.uri(f"/activities/{new_id()}"), author, changed, to=obj["to"]), author)


@pytest.mark.rule("DOS-17")
async def test_changes_of_one_post_by_the_hundred_are_refused_after_fifty_an_hour_and_kept_no_further(scene: Scene) -> None:
    created = await scene.create(name="A question", type="Article")
    assert await scene.p.send(scene.here, created) == 202
    obj: dict[str, Any] = created["object"]  # type: ignore[assignment]
    assert await scene.stored(created)
    for number in range(service.CHANGES_AN_HOUR + 20):
        assert await scene.p.send(scene.here, change(scene.p, scene.author, obj, content=f"<p>{number}</p>")) == 202
    for number in range(10):
        assert await scene.p.send(scene.here, change(scene.p, scene.author, obj, name=f"Name {number}")) == 202
    await scene.here.quiet()
    assert await scene.here.sql("SELECT count(*) FROM post_revision") == [(service.CHANGES_AN_HOUR,)]
    [(passed_on,)] = await scene.here.sql("SELECT count(*) FROM audit_entry WHERE action = 'post.receive_edit'")
    assert passed_on == service.CHANGES_AN_HOUR
    refused = await scene.here.sql("SELECT count(*) FROM inbox_item WHERE state = 'refused' AND reason = 'changed too often'")
    assert refused == [(30,)], "an admin sees them"
    await scene.twin()
    await scene.here.write(an_hour_later)
    last = change(scene.p, scene.author, obj, content="<p>the last word</p>")
    assert await scene.p.send(scene.here, last) == 202
    await scene.here.quiet()
    assert await scene.here.sql("SELECT html FROM post WHERE uri = :uri", uri=obj["id"]) == [("<p>the last word</p>",)]


def an_hour_later(session: Any, _node: Any) -> None:
    import sqlalchemy as sa

    session.execute(sa.text("UPDATE post_revision SET replaced_at = replaced_at - :hour"), {"hour": HOUR})


@pytest.mark.rule("DOS-17")
async def test_a_change_that_changes_nothing_goes_to_nobody_and_stands_nowhere(scene: Scene) -> None:
    created = await scene.create(name="A question", type="Article")
    obj: dict[str, Any] = created["object"]  # type: ignore[assignment]
    assert await scene.p.send(scene.here, created) == 202
    assert await scene.stored(created)
    before = await scene.here.tables()
    for _ in range(5):
        assert await scene.p.send(scene.here, change(scene.p, scene.author, obj)) == 202
    await scene.here.quiet()
    assert await scene.here.tables() == before | {"inbox_item": before["inbox_item"] + 5}
    assert await scene.p.send(scene.here, change(scene.p, scene.author, obj, name="Another name")) == 202
    await scene.here.quiet()
    assert await scene.here.sql("SELECT title FROM thread WHERE title LIKE 'Another%'") == [("Another name",)]


@pytest.mark.rule("DOS-17")
async def test_a_members_changes_of_one_post_end_in_words(scene: Scene) -> None:
    posted = await scene.here.write(service.post_thread, scene.here.viewer, scene.group.id, title="Ours", text="ours")
    for number in range(service.CHANGES_AN_HOUR):
        await scene.here.write(service.edit, scene.here.viewer, posted.post_id, text=f"version {number}")
    before = await scene.here.tables()
    with pytest.raises(service.TooMany, match="changed too often"):
        await scene.here.write(service.edit, scene.here.viewer, posted.post_id, text="one more")
    assert await scene.here.tables() == before
    await scene.here.write(service.delete, scene.here.viewer, posted.post_id)
    assert await scene.here.sql("SELECT count(*) FROM post_revision") == [(0,)]
