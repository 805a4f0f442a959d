"""Shows how what real servers send reads here, family by family of fediverse-pasture-inputs 0.3.0, and shapes that it does not have."""

import html as escaping
import re
from collections.abc import Callable
from typing import Any

import pytest

from fedcollab.base.errors import BadRequest
from fedcollab.base.markup import REL
from fedcollab.features.discussions import activities
from fedcollab.features.discussions.activities import PostData
from fedcollab.features.discussions.rendering import MOST
from tests.hostile import PAYLOADS, acted_on

from .test_real_objects import THEIRS, families

Example = dict[str, Any]
ACTOR, NOTE = THEIRS + "/actor", THEIRS + "/assets/note1.jsonap"
LONG = "wbr: Fernstraßen<wbr />bau<wbr />privat<wbr />finanzierungs<wbr />gesetz"
CHANGED = {  # what of the HTML reads otherwise here
    "<h1>h1</h1>": "<h3>h1</h3>",
    "<h2>h2</h2>": "<h3>h2</h3>",
    "<h1>h1</h1><h2>h2</h2>": "<h3>h1</h3><h3>h2</h3>",
    "line<br/>break": "line<br>break",
    "<script>alert('hi');</script>": "",
    f'<img src="{THEIRS}/assets/nlnet.png" alt="NLNET Logo" />': f'<a href="{THEIRS}/assets/nlnet.png">NLNET Logo</a>',
    LONG: LONG.replace("<wbr />", "<wbr>"),
}


def parsed(example: Example) -> PostData | None:
    """The example as its sender would post it, read; None where it is refused."""
    base = {"type": "Note", "id": THEIRS + "/object/1", "attributedTo": ACTOR, "to": ["as:Public"], "content": "text"}
    if "contentMap" in example and "content" not in example:
        del base["content"]
    try:
        return activities.parse({n: v for n, v in (base | example).items() if v is not None}, ACTOR, 1_800_000_000_000_000)
    except BadRequest:
        return None


def seen(example: Example) -> str:
    """Its HTML, links without what they all carry."""
    post = parsed(example)
    assert post is not None, example
    assert acted_on(f'<div class="text">{post.html}</div>') == []
    return post.html.replace(f' rel="{REL}"', "")


def many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def tags(example: Example) -> None:
    if "source src" in example["content"] or "<audio" in example["content"]:
        kind = "cow_moo.mp3" if "<audio" in example["content"] else "cow_eating.mp4"
        assert f'<a href="{THEIRS}/assets/{kind}">' in seen(example)
    else:
        content = example["content"].replace("'", '"') if "href" in example["content"] else example["content"]
        assert seen(example) == CHANGED.get(example["content"], content)


def summary(example: Example) -> None:
    words = re.sub(r"<script.*</script>", "", re.sub(r'<img.*alt="(.*?)".*>', r"\1", example["summary"]))
    plain = " ".join(re.sub(r"<[^>]*>", " ", words).split())
    html = seen(example)
    if "src" in example["summary"] and not plain.startswith("NLNET"):
        plain = plain.split(" ")[0]
    assert html.endswith("See summary</details>" if plain else "See summary")
    assert not plain or html.startswith(f"<details><summary>{plain}")
    assert "<" not in html.partition("<summary>")[2].partition("</summary>")[0]


def hashtags(example: Example) -> None:
    for tag in many(example["tag"]):
        if "Hashtag" in str(tag.get("type")):
            assert seen(example).count("#" + tag["name"].lstrip("#")) == 1
        else:
            assert tag["name"] not in seen(example)


def attachments(example: Example) -> None:
    html, found = seen(example), many(example["attachment"])
    assert html.startswith(example["content"] + "<ul>")
    assert html.count("<li>") == len(found)
    for one in found:
        urls = [u["href"] if isinstance(u, dict) else u for u in many(one.get("url", one.get("href")))]
        if str(urls[0]).startswith("http"):
            words = one.get("name") or one.get("summary") or one.get("content") or urls[0].rsplit("/", 1)[-1]
            assert f'<li><a href="{urls[0]}">{words}</a> (' in html
        else:
            assert f"<li>{one['name']}</li>" in html


def warnings(example: Example) -> None:
    html = seen(example)
    if "summary" in example:
        assert html == "<details><summary>summary</summary>text</details>"
    else:
        assert ("<a href" in html) == ("attachment" in example)


def types(example: Example) -> None:
    post = parsed(example)
    assert (post is None) == (example["type"] is None)
    if post is not None:
        folded = "<details>" in post.html
        assert (post.title, "content" in post.html, "summary" in post.html, folded) == ("name", True, True, "Note" in many(example["type"]))


def bad(example: Example) -> None:
    assert "<" not in seen(example)


def language(example: Example) -> None:
    post, several = parsed(example), example.get("contentMap", {})
    assert post is not None
    first = next(iter(several), "")
    expected = ("text", first if len(several) == 1 else "") if "content" in example else (several[first], first)
    assert (post.html, post.language) == expected


def answers(example: Example) -> None:
    post, to = parsed(example), many(example["inReplyTo"])[0]
    assert post is not None
    wanted = to if isinstance(to, str) else to.get("id") or to.get("href") or ""
    assert (post.reply_to, post.html) == (wanted, example["content"])


def anchor(example: Example) -> None:
    [(href, words)] = re.findall(r"<a href='([^']*)'.*?>(.*)</a>", example["content"])
    assert seen(example) == f'<a href="{href}">{words}</a>'


def as_it_is(example: Example) -> None:
    """Whatever `url`, `@context`, `attributedTo` or tags say beside it: the text and nothing else; no link to another host."""
    post = parsed(example)
    assert (post is None) == (None in (example.get("id", ""), example.get("type", "")))
    assert post is None or (post.html, post.label) == (escaping.escape(example["content"], quote=False), "TLP:CLEAR")


def quotes(example: Example) -> None:
    assert seen(example) == f'{example["content"]}<ul><li><a href="{NOTE}">note1.jsonap</a> (pasture-one-actor)</li></ul>'


EXPECTED: dict[str, Callable[[Example], None]] = {
    "html_tags": tags,
    "html_tags_article": tags,
    "html_tags_summary": summary,
    "hashtags": hashtags,
    "hashtag_jsonld": hashtags,
    "attachments": attachments,
    "image_attachments": attachments,
    "image_description": attachments,
    "recommended_attachments": attachments,
    "content_warnings": warnings,
    "object_types": types,
    "html_bad": bad,
    "language": language,
    "in_reply_to": answers,
    "html_anchor": anchor,
    "quotes": quotes,
    "public_addressing": as_it_is,
    "necessary_properties": as_it_is,
    "mentions": as_it_is,
    "url": as_it_is,
    "attributed_to": as_it_is,
    "context": as_it_is,
}


@pytest.mark.parametrize("family", sorted(EXPECTED))
def test_each_family_reads_as_it_should(family: str) -> None:
    examples = families()[family]
    assert examples
    for example in examples:
        EXPECTED[family](example)


def test_no_family_is_left_out() -> None:
    assert set(families()) == set(EXPECTED)


def test_a_polls_options_an_events_facts_and_a_page_elsewhere_are_shown_in_words() -> None:
    poll = {"type": "Question", "content": "<p>Which?</p>", "oneOf": [{"type": "Note", "name": n} for n in ("Boats", "<b>Vans</b>")]}
    assert seen(poll) == "<p>Which?</p><ul><li>Boats</li><li>&lt;b&gt;Vans&lt;/b&gt;</li></ul>"
    assert seen(poll | {"oneOf": None, "anyOf": [5, None, {"name": "Bus"}]}) == "<p>Which?</p><ul><li>Bus</li></ul>"
    event = {"type": "Event", "startTime": "2026-11-01T10:00:00Z", "location": {"type": "Place", "name": "The hall"}}
    assert seen(event) == "text<p>2026-11-01T10:00:00Z</p><p>The hall</p>"
    page = {"type": "Page", "url": [THEIRS + "/post/7", "https://elsewhere.example/login"]}
    assert seen(page) == f'text<ul><li><a href="{THEIRS}/post/7">7</a> (pasture-one-actor)</li></ul>'
    assert seen({"type": "Page", "url": "https://elsewhere.example/login"}) == "text"
    assert seen({"content": "a < b & <i>c</i>", "mediaType": "text/plain"}) == "<p>a &lt; b &amp; &lt;i&gt;c&lt;/i&gt;</p>"


def test_emoji_of_their_own_stay_words_and_hashtags_are_not_said_twice() -> None:
    emoji = {"type": "Emoji", "name": ":cow:", "icon": {"type": "Image", "url": THEIRS + "/cow.png"}}
    assert seen({"content": "moo :cow:", "tag": [emoji, {"type": "Hashtag", "name": "#moo"}]}) == "moo :cow:<p>#moo</p>"
    said = '<p><a href="https://a.example/tags/moo">#<span>Moo</span></a></p>'
    assert "<p>#moo</p>" not in seen(
        {"content": said.replace("<span>", "").replace("</span>", ""), "tag": {"type": "Hashtag", "name": "#moo"}}
    )


@pytest.mark.rule("DOS-05")
def test_thousands_of_attachments_tags_and_options_are_a_few() -> None:
    lots = {
        "attachment": [{"type": "Image", "url": f"{THEIRS}/{n}.png"} for n in range(2000)],
        "oneOf": [{"name": f"option {n}"} for n in range(2000)],
        "tag": [{"type": "Hashtag", "name": f"#tag{n}"} for n in range(2000)],
        "name": "n" * 100_000,
        "summary": "s" * 100_000,
    }
    html = seen(lots)
    assert (html.count("<li>"), html.count("#tag")) == (2 * MOST, MOST)
    assert len(html) < 10_000


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_beside_the_text_makes_a_browser_act(payload: str) -> None:
    for uri in (payload, "https://a.example/" + payload, "https://a.example/?" + payload.replace(" ", "")):
        attached = {"type": "Image", "name": payload, "url": uri, "href": uri}
        example = {
            "summary": payload,
            "sensitive": True,
            "attachment": [attached, uri, payload],
            "quote": uri,
            "inReplyTo": NOTE,
            "name": payload,
        }
        more = {
            "oneOf": [{"name": payload}],
            "tag": [{"type": "Hashtag", "name": payload}],
            "location": {"name": payload},
            "startTime": payload,
        }
        assert seen({**example, **more, "type": "Event", "url": uri})


@pytest.mark.parametrize("odd", [None, 5, True, "", [], {}, [[]], [None], {"a": []}, "x" * 5000, {"href": {}}, [{"url": [[{}]]}]])
def test_odd_shapes_break_nothing(odd: object) -> None:
    names = ("attachment", "oneOf", "anyOf", "tag", "url", "summary", "name", "location", "startTime", "quote", "mediaType", "sensitive")
    for name in names:
        for kind in ("Note", "Event", "Question", "Video"):
            assert "text" in seen({"type": kind, name: odd})
