"""Decides how what an organisation says of using a resource in a country reads as an object, both ways; pure, without a database."""

from dataclasses import dataclass
from typing import Any

from fedcollab.access.models import CLEAR
from fedcollab.base.called import countries
from fedcollab.base.clock import iso, parse_iso
from fedcollab.base.errors import BadRequest
from fedcollab.base.markup import as_html, clean
from fedcollab.federation import activitystreams as ap

from .activities import check_origin, label_of

LONGEST = 4000  # characters


@dataclass(frozen=True)
class NoteData:
    """A note between row and object; `author` is the organisation's id, `about` that of the resource."""

    uri: str
    author: str
    about: str
    country: str
    html: str
    posted_at: int
    source: str = ""
    language: str = ""
    label: str = ""
    edited_at: int | None = None


def to_object(note: NoteData, publisher: str) -> dict[str, Any]:
    """A Note in reply to the resource, for its publisher and those that have it from there."""
    made: dict[str, Any] = {
        "id": note.uri,
        "type": ["Note", ap.COUNTRY_NOTE],
        "attributedTo": note.author,
        "inReplyTo": note.about,
        "to": [publisher + "/followers"] + ([ap.PUBLIC] if note.label == CLEAR else []),
        "content": note.html,
        "mediaType": "text/html",
        "source": {"content": note.source, "mediaType": "text/markdown"},
        "published": iso(note.posted_at),
        ap.LABEL: note.label,
        ap.COUNTRY: note.country,
    }
    if note.edited_at:
        made["updated"] = iso(note.edited_at)
    if note.language:
        made["contentMap"] = {note.language: note.html}
    return made


def to_tombstone(uri: str, author: str, about: str, deleted_at: int) -> dict[str, Any]:
    """What remains of a deleted note."""
    kinds = ["Tombstone", ap.COUNTRY_NOTE]
    return {"id": uri, "type": kinds, "formerType": "Note", "attributedTo": author, "inReplyTo": about, "deleted": iso(deleted_at)}


def parse(document: dict[str, Any], author: str, received_at: int) -> NoteData:
    """Reads a partner's note. Raises BadRequest for a wrong id or author, no resource, no country, a label that is none, too
    much text or none."""
    check_origin(document, author)
    content, about = ap.text(document, "content"), ap.ident(document.get("inReplyTo"))
    country = document.get(ap.COUNTRY)
    if not about or not isinstance(country, str) or country not in countries():
        raise BadRequest(reason="a note needs a resource and a country")
    html = as_html(content) if document.get("mediaType") == "text/plain" else clean(content)
    if len(content) > 4 * LONGEST or not html.strip():
        raise BadRequest(reason="a note without text, or with too much")
    return NoteData(
        uri=ap.ident(document),
        author=author,
        about=about,
        country=country,
        html=html,
        posted_at=min(parse_iso(document.get("published")) or received_at, received_at),
        language=ap.language(document),
        label=label_of(document),
        edited_at=parse_iso(document.get("updated")),
    )
