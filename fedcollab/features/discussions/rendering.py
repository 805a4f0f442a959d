"""Decides how another server's post reads here: its text, and what stands beside it as words and named links; nothing of it is loaded."""

import html as escaping
from collections.abc import Collection, Iterable
from typing import Any
from urllib.parse import urlsplit

from fedcollab.base.addresses import host_of
from fedcollab.base.errors import BadRequest
from fedcollab.base.markup import REL, as_html, clean, first_words, plain
from fedcollab.federation import activitystreams as ap

MOST = 20  # attachments, options or hashtags of one post
LABEL, WARNING = 200, 500  # characters
SHORT = {"Note", "Question"}  # what they call a summary is a warning before the text; elsewhere it is an abstract
QUOTES = ("quote", "quoteUri", "quoteUrl", "_misskey_quote")
QUOTE_REL = "https://misskey-hub.net/ns#_misskey_quote"


def render(document: dict[str, Any], content: str, files: Collection[str] = ()) -> str:
    """The post as safe HTML; `content` is its text as it came, `files` the addresses of what stands under it as its files. Whatever is in
    none of the known shapes is left out."""
    kinds = set(ap.types(document))
    text = as_html(content) if document.get("mediaType") == "text/plain" else clean(content)
    named = plain(ap.text(document, "name"), LABEL) if ap.idents(document.get("inReplyTo")) else ""
    parts = [
        f"<p><strong>{escaping.escape(named)}</strong></p>" if named else "",
        text,
        _list(_options(document)),
        _facts(document) if "Event" in kinds else "",
        _list(_links(document, kinds, files)),
        _hashtags(document, text),
    ]
    return _after_summary(document, kinds, "".join(parts))


def _after_summary(document: dict[str, Any], kinds: set[str], text: str) -> str:
    """A warning folds the text away; an abstract stands before it. Where there is no text, the summary is the text already."""
    summary = ap.text(document, "summary") if ap.text(document, "content") else ""
    words = escaping.escape(first_words(clean(summary), WARNING)) if summary else ""
    if not words:
        return text
    if kinds & SHORT or document.get("sensitive") is True:
        return f"<details><summary>{words}</summary>{text}</details>"
    return f"<p><em>{words}</em></p>{text}"


def _list(items: Iterable[str]) -> str:
    found = [f"<li>{item}</li>" for item in items if item][:MOST]
    return f"<ul>{''.join(found)}</ul>" if found else ""


def _many(value: object) -> list[Any]:
    return value[: 2 * MOST] if isinstance(value, list) else [] if value is None else [value]


def _options(document: dict[str, Any]) -> list[str]:
    """What a poll lets choose from."""
    choices = [*_many(document.get("oneOf")), *_many(document.get("anyOf"))]
    return [escaping.escape(plain(ap.text(one, "name"), LABEL)) for one in choices if isinstance(one, dict)]


def _facts(document: dict[str, Any]) -> str:
    """When and where, as the event says it."""
    place = document.get("location")
    where = ap.text(place, "name") if isinstance(place, dict) else ""
    found = [plain(text, LABEL) for text in (ap.text(document, "startTime"), ap.text(document, "endTime"), where)]
    return "".join(f"<p>{escaping.escape(text)}</p>" for text in found if text)


def _links(document: dict[str, Any], kinds: set[str], files: Collection[str]) -> list[str]:
    """Attachments, what is quoted, and for what is no text itself its own page; each named, with its host, for nobody to mistake it."""
    named = [one for one in _many(document.get("attachment")) if not (isinstance(one, dict) and {*_hrefs(one.get("url"))} & {*files})]
    found = [_attachment(one) for one in named]
    tags = [tag for tag in _many(document.get("tag")) if isinstance(tag, dict)]
    quoted = [*(document.get(name) for name in QUOTES), *(tag.get("href") for tag in tags if tag.get("rel") == QUOTE_REL)]
    found += [_link(uri, "") for uri in dict.fromkeys(q for q in map(ap.ident, quoted) if q)]
    if not kinds & {"Note", "Question", "Article"}:
        pages = [uri for uri in _hrefs(document.get("url")) if _host(uri) == _host(ap.ident(document))]
        found += [_link(uri, "") for uri in pages[:1]]
    return list(dict.fromkeys(found))


def _attachment(one: object) -> str:
    """A picture, a film, a sound, a text: by its name, never shown. What has no address of its own is named alone."""
    if isinstance(one, str):
        return _link(one, "")
    if not isinstance(one, dict):
        return ""
    name = plain(ap.text(one, "name") or ap.text(one, "summary") or first_words(ap.text(one, "content")[:2000], LABEL), LABEL)
    uris = _hrefs(one.get("url")) or _hrefs(one.get("href"))
    return _link(uris[0], name) if uris else escaping.escape(name)


def _hrefs(value: object) -> list[str]:
    """The addresses in a property that holds one or many, plain or as Link objects."""
    found = [one.get("href") if isinstance(one, dict) else one for one in _many(value)]
    return [uri for uri in found if isinstance(uri, str) and _host(uri)]


def _host(uri: str) -> str:
    """The host of an http address; empty for all else, inline data among it."""
    try:
        return host_of(uri)
    except BadRequest:
        return ""


def _link(uri: str, name: str) -> str:
    host = _host(uri)
    words = name or plain(urlsplit(uri).path.rstrip("/").rsplit("/", 1)[-1], LABEL) if host else ""
    return f'<a href="{escaping.escape(uri)}" rel="{REL}">{escaping.escape(words or host)}</a> ({escaping.escape(host)})' if host else ""


def _hashtags(document: dict[str, Any], text: str) -> str:
    """The hashtags that the text itself does not say, as words."""
    tags = [t for t in _many(document.get("tag")) if isinstance(t, dict) and {"Hashtag", "as:Hashtag"} & set(ap.types(t))]
    names = dict.fromkeys("#" + plain(ap.text(tag, "name"), LABEL).lstrip("#") for tag in tags)
    if not names:
        return ""
    said = first_words(text, len(text) + 1).lower()
    missing = [escaping.escape(name) for name in names if len(name) > 1 and name.lower() not in said][:MOST]
    return f"<p>{' '.join(missing)}</p>" if missing else ""
