"""Decides which formatting people may use: Markdown rendered, then sanitised by an allow-list; others' HTML by the same list."""

import html
import re
import unicodedata
from html.parser import HTMLParser
from itertools import accumulate
from typing import TYPE_CHECKING

from .errors import N_, TooLarge

if TYPE_CHECKING:
    import markdown

LONGEST = 50_000
BRACKETS, STARS = 5_000_000, 8_000  # Python-Markdown reads from each open bracket to its paragraph's end, and is quadratic on stars
HEADINGS = 5_000_000  # and copies the rest of a paragraph at each heading and rule in it
DEEPEST = 100  # boxes within boxes: a browser's reader looks through all that are open, and so does ours
REPEATED, GROWN = 500_000, 10  # formatting tags times all tags; how much longer safe HTML may be
TAGS = {
    "p",
    "br",
    "hr",
    "b",
    "strong",
    "i",
    "em",
    "u",
    "s",
    "del",
    "ins",
    "sub",
    "sup",
    "small",
    "mark",
    "q",
    "cite",
    "abbr",
    "code",
    "pre",
    "kbd",
    "samp",
    "var",
    "wbr",
    "blockquote",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "h3",
    "h4",
    "h5",
    "h6",
    "a",
    "span",
    "div",
    "table",
    "thead",
    "tbody",
    "tfoot",
    "tr",
    "th",
    "td",
    "caption",
    "ruby",
    "rt",
    "rp",
    "bdi",
    "bdo",
}
WITH_CONTENT = {
    "script",
    "style",
    "template",
    "noscript",
    "iframe",
    "object",
    "embed",
    "svg",
    "math",
    "textarea",
    "select",
    "title",
    "head",
    "form",
}
ATTRIBUTES = {"*": {"lang", "dir"}, "a": {"href"}, "ol": {"start"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan", "scope"}}
SCHEMES = {"http", "https", "mailto"}
REL = "noopener noreferrer nofollow ugc"
HEADING = re.compile(r"<(/?)h([12])\b", re.IGNORECASE)
IMAGE = re.compile(r"<(?:img|audio|video|source)\b[^<>]*>", re.IGNORECASE)  # not past another <: each search would read to the end
FORMATTING = re.compile(r"<(/?)(?:b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)(?=[\s/>])", re.IGNORECASE)
BOX = re.compile(r"<(/?)(?:blockquote|div|dl|ol|pre|rp|rt|ruby|table|ul)(?=[\s/>])", re.IGNORECASE)
HEADLINE = re.compile(r"^[> \t]*(?:#|=+[ \t]*$|[-*_ \t]+$)", re.MULTILINE)
JOINERS = "\u200c\u200d"  # invisible, and part of how Persian, Hindi and others are spelt
PARAGRAPH = re.compile(r"\n\s*\n")
BARE = re.compile(r"(?<![\w(<\"'/=\[])(https?://[^\s<>\"'()\[\]]+[^\s<>\"'()\[\].,;:!?])")


def render(source: str) -> str:
    """A member's Markdown as safe HTML, at most 50,000 characters. Raises TooLarge, with what to shorten."""
    if len(source) > LONGEST:
        raise TooLarge(
            N_("The text has %(length)s characters; at most %(most)s fit. Shorten it, or send it in two."), length=len(source), most=LONGEST
        )
    if sum(len(HEADLINE.findall(part)) * len(part) for part in PARAGRAPH.split(source)) > HEADINGS:
        raise TooLarge(N_("The text has too many headings and rules that follow each other without an empty line. Put some in between."))
    too_many = TooLarge(N_("The text has too many brackets or stars to be read as formatting. Take some out."))
    if sum(part.count("[") * len(part) for part in PARAGRAPH.split(source)) > BRACKETS or source.count("*") + source.count("_") > STARS:
        raise too_many
    try:
        return clean(_converter().convert(BARE.sub(r"<\1>", source.replace("\0", ""))))
    except RecursionError:  # lists within lists, some hundred deep
        raise too_many from None


def _converter() -> "markdown.Markdown":
    """Without raw HTML: what looks like a tag is shown as typed."""
    import markdown

    made = markdown.Markdown(extensions=["fenced_code", "tables", "sane_lists", "nl2br"], output_format="html")
    made.preprocessors.deregister("html_block")
    made.inlinePatterns.deregister("html")
    return made


def clean(text: str) -> str:
    """HTML of whatever origin as safe HTML: allowed tags only, links to http, https and mail only, images, films and sounds as links,
    no large headings. Where formatting tags were left open by the hundred, bold and the like are lost, and where boxes lie a hundred
    deep, the boxes; never words."""
    text = HEADING.sub(r"<\1h3", IMAGE.sub(_as_link, text))
    if _depth(text) > DEEPEST:
        text = BOX.sub(r"<\1p", text)
    opened = sum(not found[1] for found in FORMATTING.finditer(text))
    made = _sanitised(text) if opened * text.count("<") <= REPEATED else None
    return made if made is not None and len(made) <= GROWN * (len(text) + 100) else _sanitised(FORMATTING.sub(r"<\1span", text))


def _depth(text: str) -> int:
    """How deep boxes lie within boxes, at the most."""
    steps = (-1 if found[1] else 1 for found in BOX.finditer(text))
    return max(accumulate(steps, lambda depth, step: max(0, depth + step)), default=0)


def _sanitised(text: str) -> str:
    """By the allow-list. A browser repeats each formatting tag that was left open in every paragraph after it, and so does this: what
    is given here must not have too many, for kilobytes would grow to gigabytes."""
    import nh3

    return nh3.clean(
        text,
        tags=TAGS,
        clean_content_tags=WITH_CONTENT,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel=REL,
        strip_comments=True,
        attribute_filter=_attribute,
    )


def _as_link(match: re.Match[str]) -> str:
    """An image elsewhere would tell that server who reads; a link asks first."""
    found = _Image()
    found.feed(match.group())
    return f'<a href="{html.escape(found.src)}">{html.escape(found.alt or found.src)}</a>' if found.src else html.escape(found.alt)


class _Image(HTMLParser):
    src = alt = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.src, self.alt = values.get("src") or "", values.get("alt") or ""


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "dir":
        return value if value in ("ltr", "rtl", "auto") else None
    if name == "lang":
        return value if re.fullmatch(r"[A-Za-z0-9-]{1,35}", value) else None
    return value if name != "href" or value.lower().startswith(("http://", "https://", "mailto:")) else None


def plain(text: str, limit: int) -> str:
    """A name or title: plain text by definition, so markup in it is shown as typed. Without control and invisible characters,
    blanks folded, at most `limit` characters."""
    folded = " ".join(text[: 20 * limit].split())
    if not folded.isprintable():  # else no control, format or odd character is in it, as in most names
        kept = (" " if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Zs") else c for c in folded)
        folded = " ".join("".join(c for c in kept if c in JOINERS or unicodedata.category(c) not in ("Cf", "Cs", "Co", "Cn")).split())
    return folded if len(folded) <= limit else folded[: limit - 1].rstrip() + "…"


def as_html(text: str) -> str:
    """Plain text, as people describe themselves or a group, in paragraphs; `as_text` gives it back for the form."""
    paragraphs = (html.escape(part.strip(), quote=False).replace("\n", "<br>") for part in PARAGRAPH.split(_lines(text)))
    return "".join(f"<p>{part}</p>" for part in paragraphs if part)


def as_text(html_text: str) -> str:
    """The text in what `as_html` has made."""
    return html.unescape(re.sub(r"</?p>", "\n", html_text.replace("</p><p>", "\n\n").replace("<br>", "\n"))).strip()


def _lines(text: str) -> str:
    """Line ends as one character, without control characters, which no page can show."""
    unix = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in unix if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs"))


AROUND = 20  # characters of a formatted text in which one of plain text is looked for
INLINE = "a|abbr|b|cite|code|em|i|kbd|mark|q|s|samp|small|span|strong|sub|sup|u|var|bdi"
PARTED = re.compile(rf"<(?!/?(?:{INLINE})[\s>])", re.IGNORECASE)  # where a browser would begin anew: words on both sides are two


BARELY = re.compile(r"(?:[^<&\0]++|</?(?:p|br|b|i|em|strong|ul|ol|li|blockquote)>)*+")  # formatted so that it reads in one way alone
TAG = re.compile(r"<[^>]*>")


def first_words(html_text: str, limit: int) -> str:
    """The beginning of a formatted text, as plain text."""
    spaced = PARTED.sub(r" \g<0>", html_text[: AROUND * limit + 4000])
    return plain(TAG.sub("", spaced) if BARELY.fullmatch(spaced) else _words(spaced), limit)


def _words(html_text: str) -> str:
    """All words of a formatted text of whatever origin."""
    import nh3

    return html.unescape(nh3.clean(html_text, tags=set(), clean_content_tags=WITH_CONTENT))
