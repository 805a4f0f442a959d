"""Shows which JSON is read at all, and that no text, Markdown or HTML, comes out with anything a browser acts on."""

import contextlib
import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base import markup
from fedcollab.base.errors import BadRequest, TooLarge
from fedcollab.base.strictjson import loads
from tests.timing import spending

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_what_is_plain_is_read_as_it_was_written(value: object, escaped: bool) -> None:
    assert loads(json.dumps(value, ensure_ascii=escaped).encode()) == value


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b'{"a":1,"\\u0061":2}',
        b"NaN",
        b"[Infinity]",
        b'"\\ud800"',
        b'"\\u0000"',
        b'{"a\\u0000":1}',
        b"\xff",
        b"{",
        b"[1]x",
        b"[" * 40 + b"]" * 40,
        b"[" * 100_000,
        b"[" + b"1," * 10_001 + b"1]",
        b"[9007199254740993]",
        b'"' + b"x" * 1_000_001 + b'"',
        b"",
    ],
)
def test_ambiguous_deep_large_or_broken_json_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRequest):
        loads(raw)


class Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]


def harmless(text: str) -> bool:
    seen = Seen()
    seen.feed(text)
    links = [value.lower() for _, name, value in seen.attributes if name in ("href", "src")]
    names = {name for _, name, _ in seen.attributes}
    safe = all(link.startswith(("http://", "https://", "mailto:")) for link in links)
    return seen.tags <= markup.TAGS and safe and names <= {"href", "rel", "lang", "dir", "start", "colspan", "rowspan", "scope"}


PIECES = st.sampled_from(
    [
        "<script>",
        "</script>",
        "<img src=x onerror=1>",
        "<svg onload=1>",
        "<a href='",
        "javascript:",
        "'>",
        "<!--",
        "-->",
        "<style>",
        "<p ",
        "onclick=1",
        "&#x6a;",
        "[a](",
        ")",
        "![",
        "]",
        "\n\n",
        "```",
        "`",
        "> ",
        "- ",
        "| a | b |\n|---|---|\n",
        "<math>",
        "<noscript>",
        "\t",
        "text",
        "<h1>",
        "<iframe>",
        "<form>",
        "\x00",
        "<<",
    ]
)


@pytest.mark.rule("XSS-01", "XSS-02", "XSS-03")
@given(st.lists(PIECES, max_size=25).map("".join))
def test_no_text_comes_out_with_anything_a_browser_acts_on(text: str) -> None:
    rendered, cleaned = markup.render(text), markup.clean(text)
    assert harmless(rendered)
    assert harmless(cleaned)
    assert markup.clean(cleaned) == cleaned


def test_what_people_write_keeps_its_form() -> None:
    made = markup.render("**b** *i* `c<d>` https://a.example/x.\n\n- one\n- two\n\n> said\n\n```\n<b> & c\n```\n\n# Big")
    for part in (
        "<strong>b</strong>",
        "<em>i</em>",
        "<code>c&lt;d&gt;</code>",
        'href="https://a.example/x"',
        "<li>one</li>",
        "<blockquote>",
        "&lt;b&gt; &amp; c",
        "<h3>Big</h3>",
    ):
        assert part in made, part


def test_an_image_elsewhere_becomes_a_link_that_asks_first() -> None:
    made = markup.render("![a map](https://e.example/m.png)")
    assert "<img" not in made
    assert 'href="https://e.example/m.png"' in made
    assert ">a map<" in made


def test_a_hostile_text_costs_little() -> None:
    for text in ("[" * 1900, "*a " * 2600, "![" * 900, "> " * 20_000, "`" * 30_000, "<" * 40_000, "[a](" * 1900, "| " * 20_000):
        with spending() as spent, contextlib.suppress(TooLarge):
            markup.render(text)
        assert spent.seconds < 3, text[:4]


@pytest.mark.parametrize(
    "opening", ["<b lang=a{}>", "<i/lang=a{}>", "<code\ndir='<' lang=a{}>", "<u lang='>' lang=a{}>", "<<img alt='b lang=a{} '>>"]
)
def test_tags_left_open_do_not_grow_with_every_paragraph(opening: str) -> None:
    for many, paragraphs in ((3_000, 5_000), (90, 5_000), (20, 20)):
        bomb = "<p>" + "".join(opening.format(n) for n in range(many)) + "<p>word" * paragraphs
        with spending() as spent:
            made = markup.clean(bomb)
        assert spent.seconds < 3
        assert len(made) < 20 * len(bomb)
        assert made.count("word") == paragraphs
    assert markup.clean("<p><b>bold</b></p>" * 300).count("<b>") == 300


def test_brackets_images_and_lists_by_the_thousand_hold_nobody_up() -> None:
    with spending() as spent:
        assert markup.clean("<img " * 20_000) == ""
        for text in ("[" * 500 + "a" * 40_000, "[" * 300 + "a" * 40_000 + "]" * 300, "1. " * 10_000):
            with pytest.raises(TooLarge, match="too many brackets"):
                markup.render(text)
    assert spent.seconds < 2
    links = "\n\n".join(f"- [the report of month {n}](https://a.example/{n}), which says more" for n in range(600))
    assert markup.render(links).count("<a href") == 600


@given(st.text(max_size=300), st.integers(1, 50))
def test_a_name_is_one_line_without_hidden_characters(text: str, limit: int) -> None:
    made = markup.plain(text, limit)
    assert len(made) <= limit
    assert all(c.isprintable() or c in markup.JOINERS for c in made)


@pytest.mark.parametrize("hidden", ["\u00ad", "\u200b", "\u200f", "\u202e", "\u2066", "\ufeff", "\U000e0041"])
def test_nothing_invisible_hides_in_a_name(hidden: str) -> None:
    assert markup.plain(f"Il{hidden}se", 20) == "Ilse"
    assert markup.plain("می\u200cخواهم", 20) == "می\u200cخواهم"


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<p>savoir <em>lire</em>.</p><p>Puis écrire</p>", "savoir lire. Puis écrire"),
        ("<ul><li>one</li><li>two</li></ul>three<br>four", "one two three four"),
        ("5 &lt; 6<strong>!</strong>", "5 < 6!"),
    ],
)
def test_the_words_of_a_formatted_text_part_where_its_boxes_do(html: str, words: str) -> None:
    assert markup.first_words(html, 100) == words


@given(
    st.lists(st.sampled_from(["<p>", "</p>", "<br>", "<b>", "</b>", "<li>", "</ul>", "</blockquote>", "a", " ", "\n", "\r", ">", "'", "é"]))
)
def test_what_is_barely_formatted_has_the_words_that_a_browser_finds(parts: list[str]) -> None:
    text = markup.PARTED.sub(r" \g<0>", "".join(parts))
    assert markup.BARELY.fullmatch(text)
    assert markup.first_words(text, 500) == markup.plain(markup._words(text), 500)


@pytest.mark.parametrize("text", ["<p", "<P>", "<p>a&amp;b</p>", "<script>a</script>", "<p class=a>", "<!-- a -->", "\0"])
def test_what_a_browser_might_read_otherwise_is_left_to_the_library(text: str) -> None:
    assert not markup.BARELY.fullmatch(text)
