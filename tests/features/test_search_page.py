"""Shows the page of the one box: what members and strangers find, how it is shown, and that nothing in a question or a hit breaks it."""

import html
import html.parser
import re
from typing import Any
from urllib.parse import quote

import pytest

from fedcollab.base.clock import HOUR, new_id
from fedcollab.features.discussions import service
from fedcollab.features.searching.views import AT_ONCE, SEARCHES
from fedcollab.federation import activitystreams as ap
from fedcollab.search import index
from fedcollab.search.index import Entry
from tests.hostile import PAYLOADS, acted_on
from tests.timing import spending

from .conftest import House

QUESTIONS = [
    'audience:"x"',
    "title:secret",
    "{title body} : secret",
    "NEAR(secret word, 2)",
    "secret AND OR NOT",
    "^secret + * - ( ) \" ' \\ ; --",
    "'secret' & !x <-> y:* | z",
    '"',
    '""""',
    "*",
    "-",
    "-secret",
    "%' OR 1=1 --",
    "\u0001\u0002_c _aabc",
    "\ud7ff\uffff\U0010ffff",
    "{{ 7*7 }}{% include 'x' %}",
    "a" * 200,
    "* " * 100,
    '"a ' * 60,
    "贩" * 200,
]


def rows(page: str) -> list[str]:
    """The hits of a page, as they stand there."""
    return re.findall(r'<li class="row">.*?</li>', page, re.DOTALL)


def parts(page: str) -> list[tuple[str, ...]]:
    """Each tag of a page with the names of its attributes."""
    found: list[tuple[str, ...]] = []
    reader = html.parser.HTMLParser()
    reader.handle_starttag = lambda tag, attrs: found.append((tag, *(name for name, _ in attrs)))  # type: ignore[method-assign]
    reader.feed(page)
    return found


async def ask(visitor: Any, q: str, **more: str) -> tuple[int, str]:
    wanted = "&".join(f"{name}={quote(value)}" for name, value in {"q": q, **more}.items())
    status, page = await visitor.get(f"/search?{wanted}")
    return status, page


async def counts(house: House) -> list[int]:
    import sqlalchemy as sa

    def read(session: Any) -> list[int]:
        return [session.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar_one() for name in ("search_entry", "post", "audit_entry")]

    return await house.site.kernel.database.read(read)


async def test_somebody_finds_by_words_phrases_and_filters_and_comes_to_the_post(house: House) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    posted = await house.site.thread(house.admin, group, "Deposits asked by agencies", "Who was asked for a <deposit> & when?")
    answer = await house.site.write(
        service.post_reply, house.admin.viewer, posted.thread_id, text="Two parts, by mobile money", language="fr"
    )
    status, page = await ask(house.admin, "deposit*")
    assert (status, len(rows(page))) == (200, 1)
    assert f'href="/threads/{posted.thread_id}"' in page
    assert "<mark>Deposits</mark> asked by agencies" in page
    assert "&lt;<mark>deposit</mark>&gt; &amp; when?" in page
    assert "TLP:AMBER+STRICT" in rows(page)[0]
    _, page = await ask(house.admin, '"mobile money"', language="fr")
    assert f'href="/posts/{answer.post_id}"' in rows(page)[0]
    assert 'lang="fr"' in rows(page)[0]
    assert "Deposits asked by agencies" in rows(page)[0], "an answer has its conversation's title"
    assert "remove filter" in page
    status, _, _ = await house.admin.ask("GET", f"/posts/{answer.post_id}")
    assert status == 303
    assert len(rows((await ask(house.admin, "parts deposits"))[1])) == 0
    assert len(rows((await ask(house.admin, "money -parts"))[1])) == 0


async def test_a_name_typed_wrongly_is_suggested_and_nobody_who_is_not_signed_in_learns_of_it(house: House) -> None:
    await house.site.member("okello")
    _, page = await ask(house.admin, "Okelo")
    assert "Did you mean" in page
    assert "Okello" in page
    _, page = await ask(house.site.stranger(), "Okelo")
    assert "Did you mean" not in page
    assert "Okello" not in page


async def test_without_a_question_the_page_says_how_to_ask_and_without_a_hit_what_to_try(house: House) -> None:
    status, page = await house.admin.get("/search")
    assert (status, "How to ask" in page) == (200, True)
    assert 'role="search" action="/search"' in (await house.admin.get("/groups"))[1], "the box stands on every page"
    status, page = await ask(house.admin, "nowhere")
    assert (status, "Nothing found" in page, "Try fewer or other words" in page) == (200, True, True)
    status, page = await ask(house.admin, "nowhere", kind="thread")
    assert "Search without filters" in page


async def test_pages_follow_each_other_without_a_gap_and_filters_count_what_is_there(house: House) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    posted = await house.site.thread(house.admin, group, "Numbers", "first")
    for number in range(45):
        await house.site.write(service.post_reply, house.admin.viewer, posted.thread_id, text=f"counted {number}")
    at, seen = "/search?q=counted", list[str]()
    for _ in range(3):
        _, page = await house.admin.get(at)
        assert "45 results" in page
        seen += re.findall(r"</mark> (\d+)", page)
        following = re.search(r'href="([^"]*before=[^"]*)">Next page', page)
        at = html.unescape(following.group(1)) if following else ""
    assert seen == [str(number) for number in reversed(range(45))]
    assert at == ""
    assert re.search(r'name="kind" value="post"><span><bdi>Answers</bdi> <small class="num">45<', page)


@pytest.mark.rule("CONF-04", "CONF-09")
async def test_whoever_may_not_see_a_thing_is_answered_exactly_as_if_it_were_not_there(house: House) -> None:
    hidden, shown = (
        await house.site.group(house.admin, "buried", "TLP:AMBER+STRICT"),
        await house.site.group(house.admin, "open", "TLP:CLEAR"),
    )
    stranger = house.site.stranger()

    async def looks() -> list[tuple[int, str]]:
        found = []
        for wanted in (
            "q=secretword",
            "q=secretw*",
            "kind=thread",
            "kind=group",
            "q=secretword&kind=thread&before=0.99",
            "q=Seretword",
            f"organisation={ours}",
        ):
            status, page = await stranger.get(f"/search?{wanted}")
            found.append((status, re.sub(r'name="token" value="\w+"|\d+ seconds? ago', "", page)))  # asked again, it is a second later
        return found

    ours = house.admin.viewer.organisation_id
    await house.site.thread(house.admin, shown, "A public matter", "open words")
    before = await looks()
    posted = await house.site.thread(house.admin, hidden, "secretword in a title", "secretword in a text")
    assert await looks() == before
    assert "A public matter" in before[2][1]
    for other in (posted.thread_id, posted.post_id, hidden, new_id()):
        _, page = await ask(stranger, "", organisation=other)
        assert (len(rows(page)), "buried" in page.lower()) == (0, False)
    _, page = await ask(house.admin, "secretword")
    assert len(rows(page)) == 1, "the twin: who may see it finds it"


@pytest.mark.rule("CONF-04")
async def test_partners_and_machines_are_answered_nothing(house: House) -> None:
    status, _, text = await house.site.stranger().ask("GET", "/search?q=words", headers={"Accept": ap.MEDIA_TYPE})
    assert (status, "words" in text) == (404, False)


@pytest.mark.rule("XSS-01", "XSS-05", "XSS-07", "XSS-09")
async def test_hostile_titles_snippets_names_and_questions_are_shown_and_never_acted_on(house: House) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    await house.site.thread(
        house.admin,
        group,
        "harmless title",
        "harmless text",
    )
    asked = ({"q": "harmless"}, {"q": "nowhere"}, {"q": "nowhere", "kind": "x"}, {"q": "harmless", "before": "1.999"})
    daan = await house.site.member("daan")
    parts_of_ours = {part for one in asked for part in parts((await ask(daan, **one))[1])}
    for number, payload in enumerate(PAYLOADS):
        await house.site.thread(house.admin, group, f"{payload} hit{number}", f"{payload}\n\nhit{number} in the text")
        status, page = await ask(house.admin, f"hit{number}")
        assert (status, len(rows(page)), acted_on(page)) == (200, 1, []), payload
        assert not re.search(r"<(?!/?(?:li|h3|a|mark|p|span|svg|use|bdi)\b)", rows(page)[0]), payload
        status, page = await ask(daan, payload[:200], kind=payload, before=payload, organisation=payload, year=payload)
        assert (status, set(parts(page)) - parts_of_ours) == (200, set()), payload
        assert "49" not in re.sub(r"<[^>]*>", "", page.split("<main")[1].split("<footer")[0]) or "7*7" not in payload


@pytest.mark.rule("XSS-10")
async def test_characters_that_turn_a_line_around_are_kept_out_of_titles_and_snippets(house: House) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    await house.site.thread(house.admin, group, "invoice \u202egpj.exe", "turned \u202earound\u2066 here")
    _, page = await ask(house.admin, "turned")
    assert len(rows(page)) == 1
    assert not set("\u202e\u2066") & set(rows(page)[0])


@pytest.mark.rule("CONF-04")
@pytest.mark.parametrize("q", QUESTIONS)
async def test_no_question_reaches_the_database_as_anything_but_words(house: House, q: str) -> None:
    group = await house.site.group(house.admin, "buried", "TLP:AMBER+STRICT")
    await house.site.thread(house.admin, group, "secret title", "secret body text")
    before = await counts(house)
    for visitor in (house.admin, house.site.stranger()):
        with spending() as spent:
            status, page = await ask(visitor, q)
        assert (status, spent.seconds < 2) == (200, True)
        assert visitor is house.admin or rows(page) == []
    assert await counts(house) == before
    assert len(rows((await ask(house.admin, "secret"))[1])) == 1, "and the next one is answered"


@pytest.mark.rule("DOS-01")
async def test_a_question_of_ten_thousand_characters_or_a_nul_is_refused_in_words(house: House) -> None:
    status, page = await ask(house.admin, "a" * 5000)
    assert (status, "at most 200 characters" in page) == (422, True)
    status, _ = await house.admin.get("/search?q=a%00b")
    assert status == 404
    many = "&".join(f"topic=t{number}" for number in range(300))
    assert (await house.admin.get(f"/search?q=words&{many}"))[0] == 200


@pytest.mark.rule("DOS-01")
async def test_whoever_asks_without_end_is_told_to_wait_and_others_are_not(house: House) -> None:
    other = await house.site.member("daan")
    assert (await ask(house.admin, "words"))[0] == 200
    buckets, soon = house.site.runner.app[SEARCHES], house.site.kernel.node.now() + HOUR  # however slow this machine is
    taken = 0
    while not buckets.take(house.admin.viewer.person_id, soon):
        taken += 1
    assert taken in (AT_ONCE - 1, AT_ONCE)
    status, headers, _ = await house.admin.ask("GET", "/search?q=more")
    assert (status, int(headers["Retry-After"]) > 0) == (429, True)
    assert (await ask(other, "words"))[0] == 200
    assert (await house.admin.get("/search"))[0] == 200, "the page itself stays"


async def test_resources_show_kind_year_topic_country_and_language_in_the_readers_words(house: House) -> None:
    ours = house.admin.viewer.organisation_id
    group = await house.site.group(house.admin, "open", "TLP:CLEAR")

    def put(session: Any, node: Any) -> None:
        import sqlalchemy as sa

        audience = session.scalar(sa.text("SELECT id FROM audience WHERE group_id = :group"), {"group": group})
        values = dict(language="km", countries=("KH",), topics=("DebtBondage",), year=2024, type="Guide")
        index.put(
            session, Entry("resource", new_id(), audience, "TLP:CLEAR", ours, node.now(), "/library/x", title="សៀវភៅ guide", **values)
        )

    await house.site.write(put)
    reader = house.site.stranger()
    _, page = await ask(reader, "guide", kind="resource", country="KH", topic="DebtBondage", year="2024", language="km", type="Guide")
    assert len(rows(page)) == 1
    for shown in ("Cambodia", "Khmer", "· 2024"):
        assert shown in page
    _, _, page = await reader.ask("GET", "/search?q=guide", headers={"Accept-Language": "fr"})
    assert "Cambodge" in page
    assert "khmer" in page
    assert rows((await ask(reader, "guide", country="TH"))[1]) == []
    assert len(rows((await ask(reader, "", kind="resource"))[1])) == 1
