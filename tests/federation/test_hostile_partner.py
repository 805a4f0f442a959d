"""Shows hostile text and names of a partner stored and shown on pages, and never acted on; the judge itself sees what would be."""

import pytest

from fedcollab.federation import activitystreams as ap
from tests.hostile import PAYLOADS, acted_on

from .conftest import Scene
from .pages import opened, page_of


@pytest.mark.rule("XSS-01", "XSS-02")
async def test_a_partners_text_in_every_field_is_shown_and_never_acted_on(scene: Scene) -> None:
    group = await scene.here.group("public", "TLP:CLEAR")
    for number, payload in enumerate(PAYLOADS):
        context = scene.p.uri(f"/threads/{number}")
        fields = {
            "type": "Article",
            "name": f"{payload} title",
            "summary": payload,
            "content": f"<p>{payload}</p><p>harmless end</p>",
            "url": "javascript:alert(1)",
            "tag": [{"type": "Mention", "href": "javascript:alert(1)", "name": payload}],
            "attachment": [{"type": "Document", "url": "data:text/html,<script>alert(1)</script>", "name": payload}],
            "context": context,
            "to": [ap.PUBLIC, group.uri + "/followers"],
        }
        assert await scene.p.send(scene.here, scene.p.create(scene.author, group.uri, **fields)) == 202
    await scene.here.quiet()
    pages = await opened(scene.here, "thread")
    assert len(pages) == len(PAYLOADS)
    for page in pages:
        assert acted_on(page) == []
    assert sum("harmless end" in page for page in pages) > len(PAYLOADS) * 0.9, "an unclosed comment or textarea may swallow the rest"


@pytest.mark.rule("XSS-01")
async def test_a_partners_names_and_words_about_itself_are_never_acted_on(scene: Scene) -> None:
    group = await scene.here.group("public", "TLP:CLEAR")
    for number, payload in enumerate(PAYLOADS):
        path = f"/people/p{number}"
        scene.p.actor(path, "Person", name=payload, summary=payload)
        create = scene.p.create(scene.p.uri(path), group.uri, to=[ap.PUBLIC], context=scene.p.uri("/threads/all"))
        assert await scene.p.send(scene.here, create) == 202
    await scene.here.quiet()
    (thread,) = await scene.here.sql("SELECT id FROM thread WHERE uri = :uri", uri=scene.p.uri("/threads/all"))
    assert acted_on(await page_of(scene.here, f"/threads/{thread[0]}")) == []
    people = await scene.here.sql("SELECT id, summary FROM actor WHERE kind = 'Person' AND known = 'partner'")
    assert len(people) > len(PAYLOADS)
    for _, summary in people:
        assert acted_on(f'<div class="text">{summary}</div>') == []


@pytest.mark.parametrize(
    "text",
    [
        "<script>1</script>",
        '<div class="text"><a href="javascript:1">x</a></div>',
        '<p onclick="x">',
        '<div class="text"><img src="x"></div>',
    ],
)
def test_the_judge_sees_what_a_browser_would_act_on(text: str) -> None:
    assert acted_on(text)
