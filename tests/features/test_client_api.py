"""Shows ActivityPub's client side: what a tool writes by its owner's token and reads back, and each thing that it is refused."""

import asyncio
import io
import json
import re
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa

from fedcollab.access.models import CLEAR, GREEN, STRICT
from fedcollab.base.clock import new_id
from fedcollab.base.errors import NotFound
from fedcollab.base.i18n import words
from fedcollab.features.discussions import groups
from fedcollab.features.discussions.models import Post
from fedcollab.features.members import service, tokens
from fedcollab.federation import activitystreams as ap
from tests.web import Visitor

from .conftest import House
from .test_reach_form import with_a_stranger

PROBLEM = "application/problem+json"
TABLES = ("thread", "post", "activity", "audit_entry", "draft", "client_token", "actor")


@dataclass
class Answer:
    status: int
    headers: Any
    body: Any


@dataclass
class Tool:
    """A program with a token of somebody's."""

    owner: Visitor
    token: str
    more: dict[str, str] = field(default_factory=dict)

    @property
    def person(self) -> str:
        return self.owner.site.kernel.node.settings.uri(f"/people/{self.owner.viewer.person_id}")

    async def ask(self, method: str, url: str, document: object = None, **headers: str) -> Answer:
        sent = {"Authorization": f"Bearer {self.token}", "Accept": ap.MEDIA_TYPE, "Content-Type": ap.MEDIA_TYPE} | self.more | headers
        body = document if isinstance(document, bytes) else json.dumps(document).encode() if document is not None else None
        url = url if url.startswith("http") else self.owner.site.url + url
        data = io.BytesIO(body) if body else None
        async with aiohttp.request(method, url, data=data, headers={k: v for k, v in sent.items() if v}, allow_redirects=False) as answer:
            text = await answer.text()
            assert "Set-Cookie" not in answer.headers
            return Answer(answer.status, answer.headers, json.loads(text) if "json" in answer.content_type else text)

    async def post(self, document: object, **headers: str) -> Answer:
        return await self.ask("POST", self.person + "/outbox", document, **headers)

    async def items(self, box: str) -> list[dict[str, Any]]:
        found = await self.ask("GET", (await self.ask("GET", f"{self.person}/{box}")).body["first"])
        items: list[dict[str, Any]] = found.body["orderedItems"]
        return items


async def tool(owner: Visitor, *scopes: str) -> Tool:
    person_id = owner.viewer.person_id
    token = await owner.site.write(tokens.create, owner.viewer, person_id, purpose="a script", scopes=scopes or ("read", "write"), days=30)
    return Tool(owner, token)


def group_uri(house: House, group: str) -> str:
    return house.site.kernel.node.settings.uri(f"/groups/{group}")


async def counts(house: House) -> dict[str, int]:
    def read(session: Any) -> dict[str, int]:
        return {table: session.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one() for table in TABLES}

    await house.site.write(groups.renew_lists)  # or the minute's chore does it in the middle of a test
    return await house.site.kernel.database.read(read)


async def label_of(house: House, uri: str) -> str:
    return await house.site.kernel.database.read(lambda session: session.scalar(sa.select(Post.label).where(Post.uri == uri)))


def article(group: str, **more: Any) -> dict[str, Any]:
    return {"type": "Article", "name": "A question", "content": "What do you see?", "audience": group} | more


async def test_an_article_becomes_a_conversation_an_answer_a_note_and_both_are_read_back(house: House) -> None:
    group = await house.site.group(house.admin, "leads", GREEN)
    mine = await tool(house.admin)
    made = await mine.post(article(group_uri(house, group), source={"content": "What do *you* see?", "mediaType": "text/markdown"}))
    assert made.status == 201
    create = (await mine.ask("GET", made.headers["Location"])).body
    assert (create["id"], create["type"], create["actor"]) == (made.headers["Location"], "Create", mine.person)
    opener = create["object"]
    assert (opener["type"], opener["name"], opener["attributedTo"]) == ("Article", "A question", mine.person)
    assert "<em>you</em>" in opener["content"]
    note = {
        "type": "Note",
        "content": "<p>Line &amp; one<br>two</p><p>three</p>",
        "inReplyTo": opener["id"],
        "id": "https://evil.example/1",
    }
    answered = await mine.post({"type": "Create", "id": "https://evil.example/2", "actor": mine.person, "object": note})
    assert answered.status == 201
    own = await mine.items("outbox")
    assert [one["id"] for one in own] == [answered.headers["Location"], made.headers["Location"]]
    assert own[0]["object"]["inReplyTo"] == opener["id"]
    assert own[0]["object"]["context"] == opener["context"]
    assert "evil" not in json.dumps(own)
    assert "three" in own[0]["object"]["content"]
    assert (await mine.ask("GET", mine.person + "/outbox")).body["totalItems"] == 2
    _, page = await house.admin.get(opener["context"].removeprefix(house.site.url))
    assert "Line &amp; one<br>" in page


async def test_a_post_is_changed_and_deleted_by_its_author_and_by_nobody_else(house: House) -> None:
    group = await house.site.group(house.admin, "leads", GREEN)
    mine, other = await tool(house.admin), await tool(await house.site.member("daan"))
    posted = await house.site.thread(house.admin, group)
    before = await counts(house)
    for document in (
        {"type": "Update", "object": {"id": posted.uri, "type": "Article", "content": "Mine now"}},
        {"type": "Update", "object": {"id": posted.uri, "content": "Mine now"}},
        {"type": "Delete", "object": posted.uri},
    ):
        refused = await other.post(document)
        assert (refused.status, refused.headers["Content-Type"].split(";")[0]) == (403, PROBLEM)
    assert await counts(house) == before
    updated = await mine.post({"type": "Update", "object": {"id": posted.uri, "type": "Article", "content": "Said better"}})
    assert updated.status == 201
    assert (await mine.ask("GET", updated.headers["Location"])).body["type"] == "Update"
    assert "Said better" in (await house.admin.get(f"/threads/{posted.thread_id}"))[1]
    assert (await mine.post({"type": "Update", "object": {"id": posted.uri, "content": "Said best, by its id alone"}})).status == 201
    assert "Said best" in (await house.admin.get(f"/threads/{posted.thread_id}"))[1]
    deleted = await mine.post({"type": "Delete", "object": posted.uri})
    assert deleted.status == 201
    assert [(one["type"], one["object"]["type"]) for one in await mine.items("outbox")] == [("Delete", "Tombstone")]
    assert (await mine.post({"type": "Delete", "object": posted.uri})).status == 404
    assert [one["type"] for one in await other.items("inbox")] == ["Delete"]


async def test_the_inbox_has_what_came_newest_first_in_pages_and_nothing_that_its_owner_may_not_see(house: House) -> None:
    group = await house.site.group(house.admin, "leads", STRICT)
    daan = await house.site.member("daan")
    for number in range(53):
        await house.site.thread(house.admin, group, f"Number {number}")
    await house.site.thread(daan, group, "My own")
    box = await tool(daan, "read")
    collection = (await box.ask("GET", box.person + "/inbox")).body
    assert (collection["type"], collection["id"]) == ("OrderedCollection", box.person + "/inbox")
    seen: list[dict[str, Any]] = []
    at, pages = collection["first"], 0
    while at:
        page = (await box.ask("GET", at)).body
        assert (page["type"], page["partOf"], page["id"]) == ("OrderedCollectionPage", box.person + "/inbox", at)
        seen, at, pages = seen + page["orderedItems"], page.get("next", ""), pages + 1
    assert [one["object"]["name"] for one in seen] == [f"Number {number}" for number in reversed(range(53))]
    assert pages == 2
    assert len({one["id"] for one in seen}) == 53
    assert {one["type"] for one in seen} == {"Create"}

    def shut(session: Any) -> None:
        session.execute(sa.text("DELETE FROM audience_member"))

    await house.site.kernel.database.write(shut)
    assert await box.items("inbox") == []


async def test_the_persons_document_names_inbox_and_outbox_to_their_own_tool(house: House) -> None:
    mine = await tool(house.admin, "read")
    document = (await mine.ask("GET", mine.person)).body
    assert (document["id"], document["inbox"], document["outbox"]) == (mine.person, mine.person + "/inbox", mine.person + "/outbox")
    assert (await mine.ask("GET", mine.person, Authorization="")).status == 401
    other = await house.site.member("daan")
    assert (await mine.ask("GET", f"/people/{other.viewer.person_id}")).status == 403


@pytest.mark.parametrize(
    ("label", "more", "expected"),
    [
        (CLEAR, {}, CLEAR),
        (CLEAR, {"to": ap.PUBLIC, "cc": "GROUP/followers"}, CLEAR),
        (CLEAR, {"to": ["as:Public"]}, CLEAR),
        (CLEAR, {"to": ["GROUP/followers"]}, GREEN),
        (CLEAR, {"to": [ap.PUBLIC], ap.LABEL: GREEN}, GREEN),
        (CLEAR, {"to": [ap.PUBLIC], ap.LABEL: STRICT}, ""),
        (CLEAR, {ap.LABEL: "TLP:RED"}, ""),
        (GREEN, {}, GREEN),
        (GREEN, {"to": ["GROUP/followers"], "cc": ["ADMIN"]}, GREEN),
        (GREEN, {"to": [ap.PUBLIC]}, ""),
        (GREEN, {"bcc": "Public"}, ""),
        (GREEN, {ap.LABEL: CLEAR}, ""),
        (GREEN, {"cc": ["https://elsewhere.example/people/1"]}, ""),
        (GREEN, {"bto": ["ADMIN/followers"]}, ""),
        (GREEN, {ap.LABEL: STRICT}, ""),
        (GREEN, {ap.LABEL: "TLP:PINK"}, ""),
        (STRICT, {}, STRICT),
        (STRICT, {ap.LABEL: STRICT, "to": ["GROUP"]}, STRICT),
        (STRICT, {ap.LABEL: GREEN}, ""),
    ],
)
async def test_the_narrowest_of_label_addressing_and_group_wins_and_wider_is_refused(
    house: House, label: str, more: dict[str, Any], expected: str
) -> None:
    group = group_uri(house, await house.site.group(house.admin, "leads", label))
    mine = await tool(house.admin)
    filled = json.loads(json.dumps(more).replace("GROUP", group).replace("ADMIN", mine.person))
    before = await counts(house)
    made = await mine.post(article(group, **filled))
    if expected:
        assert made.status == 201
        found = await house.site.kernel.database.read(lambda session: session.scalar(sa.select(Post.uri)))
        assert await label_of(house, found) == expected
        assert (made.headers["Location"] == found) == (expected == STRICT), "no activity exists of what is for us alone"
    else:
        assert made.status in (400, 422)
        assert made.body["detail"]
        assert await counts(house) == before
        assert (await mine.post(article(group))).status == 201


async def test_an_answer_is_seen_by_nobody_who_may_not_see_its_conversation(house: House) -> None:
    group = await house.site.group(house.admin, "leads", CLEAR)
    mine = await tool(house.admin)
    narrow = await mine.post(article(group_uri(house, group), **{ap.LABEL: GREEN}))
    opener = (await mine.ask("GET", narrow.headers["Location"])).body["object"]
    assert ap.PUBLIC not in opener["to"]
    for more in ({}, {"to": ap.PUBLIC}):
        answer = await mine.post({"type": "Note", "content": "Me too", "inReplyTo": opener["id"], **more})
        note = (await mine.ask("GET", answer.headers["Location"])).body["object"]
        assert (answer.status, note[ap.LABEL], ap.PUBLIC in note["to"]) == (201, GREEN, False)
    assert "Me too" not in (await house.site.stranger().get(opener["context"].removeprefix(house.site.url)))[1]


@pytest.mark.parametrize(
    ("document", "status", "words"),
    [
        ({"type": "Note", "content": "To nobody"}, 422, "put a group's id into"),
        ({"type": "Note", "content": "No title", "audience": "GROUP"}, 422, "needs a title and a text"),
        ({"type": "Article", "name": "No text", "audience": "GROUP"}, 422, "needs a title and a text"),
        ({"type": "Article", "name": "x", "content": "<b>bold</b>", "audience": "GROUP"}, 422, "This node takes Markdown"),
        ({"type": "Note", "content": "To nothing", "inReplyTo": "https://elsewhere.example/1"}, 404, "nothing here"),
        ({"type": "Note", "content": "To nothing", "context": "https://elsewhere.example/1"}, 404, "nothing here"),
        ({"type": "Question", "content": "?", "audience": "GROUP"}, 422, "Create, Delete, Update"),
        ({"type": "Block", "object": "https://elsewhere.example/1"}, 422, "Create, Delete, Update"),
        ({"type": "Follow", "actor": "ME", "object": "https://elsewhere.example/1"}, 422, "Create, Delete, Update"),
        ({"type": "Create", "object": "https://elsewhere.example/1"}, 422, "Create, Delete, Update"),
        ({"type": "Create", "actor": "https://elsewhere.example/1", "object": {"type": "Note"}}, 403, "another person's"),
        ({"type": "Note", "attributedTo": "https://elsewhere.example/1", "content": "x", "audience": "GROUP"}, 403, "another person's"),
        ({"type": "Delete", "object": "https://elsewhere.example/1"}, 404, "nothing here"),
        ({"type": "Update", "object": {"type": "Note", "id": "https://elsewhere.example/1", "content": "x"}}, 404, "nothing here"),
        ({"content": "no type"}, 400, "JSON object with a"),
        ([], 400, "JSON object with a"),
        (b"{", 400, "no JSON that this node can read"),
        (b'{"type": "Note", "type": "Article"}', 400, "no name twice"),
        (b" " * 1_000_010, 413, "more than fits into one request"),
    ],
)  # fmt: skip
async def test_what_cannot_be_done_is_refused_as_a_problem_in_words_and_changes_nothing(
    house: House, document: object, status: int, words: str
) -> None:
    group = group_uri(house, await house.site.group(house.admin, "leads", GREEN))
    mine, before = await tool(house.admin), await counts(house)
    if not isinstance(document, bytes):
        document = json.loads(json.dumps(document).replace("GROUP", group).replace("ME", mine.person))
    before = await counts(house)
    refused = await mine.post(document)
    assert (refused.status, refused.headers["Content-Type"].split(";")[0]) == (status, PROBLEM)
    assert (refused.body["status"], refused.body["type"], words in refused.body["detail"]) == (status, "about:blank", True)
    assert "elsewhere" not in json.dumps(refused.body)
    assert await counts(house) == before
    assert (await mine.post(article(group))).status == 201


async def test_only_a_good_token_with_the_scope_opens_its_owners_boxes_and_no_cookie_does(house: House) -> None:
    group = group_uri(house, await house.site.group(house.admin, "leads", GREEN))
    daan = await house.site.member("daan")
    reader, writer, both = await tool(daan, "read"), await tool(daan, "write"), await tool(daan)
    before = await counts(house)
    cookie = "; ".join(f"{name}={value}" for name, value in daan.cookies.items())
    for wrong in ({"Authorization": ""}, {"Authorization": "", "Cookie": cookie}, {"Authorization": "Basic eDp5"}):
        for method, box in (("GET", "inbox"), ("GET", "outbox"), ("POST", "outbox")):
            refused = await both.ask(method, f"{both.person}/{box}", article(group), **wrong)
            assert (refused.status, refused.headers["WWW-Authenticate"], refused.body["status"]) == (401, "Bearer", 401)
    refused = await both.ask("GET", both.person + "/inbox", Authorization="Bearer fedcollab_made_up")
    assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')
    refused = await reader.post(article(group))
    assert (refused.status, refused.headers["WWW-Authenticate"]) == (403, 'Bearer error="insufficient_scope", scope="write"')
    assert (await writer.ask("GET", writer.person + "/inbox")).status == 403
    other = await tool(house.admin)
    for method, box in (("GET", "inbox"), ("GET", "outbox"), ("POST", "outbox")):
        assert (await both.ask(method, f"{other.person}/{box}", article(group))).status == 403
    assert await counts(house) == before | {"client_token": before["client_token"] + 1, "audit_entry": before["audit_entry"] + 1}
    for path in ("/settings", "/admin/members", "/settings/tokens"):
        assert (await both.ask("GET", path, Accept="text/html")).status == 401, "a token is no session"
    assert (await writer.post(article(group))).status == 201
    assert (await reader.ask("GET", reader.person + "/inbox")).status == 200


@pytest.mark.rule("AUTH-02")
async def test_the_tool_of_a_disabled_member_is_out_at_once(house: House) -> None:
    group = group_uri(house, await house.site.group(house.admin, "leads", GREEN))
    mine = await tool(await house.site.member("daan"))
    assert (await mine.post(article(group))).status == 201
    await house.site.write(service.disable, house.admin.viewer, mine.owner.viewer.person_id)
    assert (await mine.post(article(group))).status == 401
    assert (await mine.ask("GET", mine.person + "/inbox")).status == 401


@pytest.mark.rule("AUTH-03")
async def test_fields_that_are_not_a_tools_to_say_have_no_effect(house: House) -> None:
    group = group_uri(house, await house.site.group(house.admin, "leads", GREEN))
    mine = await tool(await house.site.member("daan"))
    made = await mine.post(
        article(group, id="https://evil.example/1", url="https://evil.example/2", published="2001-01-01T00:00:00Z", roles=["admin"],
                organisation_id=new_id(), place=1, html="<script>", updated="2001-01-01T00:00:00Z", proof={"type": "x"}, bto=[group],
                bcc=[group + "/followers"])
    )  # fmt: skip
    assert made.status == 201
    text = json.dumps(await mine.items("outbox"))
    assert not [word for word in ("evil", "2001", "admin", "<script>", "bto", "bcc") if word in text]
    assert (await house.site.kernel.database.read(service.find, "daan")).roles == ["member"]


async def test_a_tool_that_asks_too_fast_waits_and_others_do_not(house: House) -> None:
    mine, other = await tool(house.admin, "read"), await tool(await house.site.member("daan"), "read")
    answers = await asyncio.gather(*(mine.ask("GET", mine.person + "/inbox") for _ in range(220)))
    slow = [one for one in answers if one.status == 429]
    assert 1 <= len(slow) <= 100
    assert all(int(one.headers["Retry-After"]) >= 1 and one.headers["Content-Type"].startswith(PROBLEM) for one in slow)
    assert (await other.ask("GET", other.person + "/inbox")).status == 200


async def test_another_media_type_than_json_is_refused_and_plain_json_is_taken(house: House) -> None:
    group = group_uri(house, await house.site.group(house.admin, "leads", GREEN))
    mine = await tool(house.admin)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"):
        assert (await mine.post(article(group), **{"Content-Type": kind})).status == 415
    for kind in ("application/json", 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'):
        assert (await mine.post(article(group), **{"Content-Type": kind})).status == 201


async def test_refusals_are_in_the_language_that_the_tool_asks_for(house: House) -> None:
    mine = await tool(house.admin)
    refused = await mine.post({"type": "Delete", "object": "https://elsewhere.example/1"}, **{"Accept-Language": "fr"})
    assert refused.body["detail"] == words("fr", "UTC").gettext(NotFound.text) != NotFound.text


async def test_readers_who_are_no_partners_of_ours_take_a_yes_as_on_the_page(house: House) -> None:
    group = await with_a_stranger(house)
    mine, before = await tool(house.admin), await counts(house)
    refused = await mine.post(article(group_uri(house, group)))
    found = re.search(r"\?sure=([0-9a-f]+) ", refused.body["detail"])
    assert (refused.status, bool(found)) == (422, True)
    assert found
    assert await counts(house) == before | {"client_token": before["client_token"]}
    assert (await mine.ask("POST", f"{mine.person}/outbox?sure=0", article(group_uri(house, group)))).status == 422
    assert (await mine.ask("POST", f"{mine.person}/outbox?sure={found[1]}", article(group_uri(house, group)))).status == 201


async def test_what_a_tool_sends_leaves_alone_what_its_owner_is_just_typing(house: House) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:GREEN")
    posted, mine = await house.site.thread(house.admin, group), await tool(house.admin, "write")
    at = f"/threads/{posted.thread_id}"
    assert (await house.admin.post(at, at=at, text="half a thought", act="keep"))[0] == 200
    assert (await mine.post({"type": "Note", "inReplyTo": posted.uri, "content": "from a tool"})).status == 201
    assert ">half a thought</textarea>" in (await house.admin.get(at))[1]
    form = {"text": "a whole thought", "act": "send", "once": new_id()}
    assert (await house.admin.post(at, at=at, **form))[0] == 303
    assert "half a thought" not in (await house.admin.get(at))[1]
