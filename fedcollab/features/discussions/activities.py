"""Decides how a post reads as an ActivityStreams object, both ways; pure, without a database."""

from dataclasses import dataclass
from typing import Any

from fedcollab.access.models import CLEAR, GREEN, LABELS
from fedcollab.access.policy import narrowest
from fedcollab.base.addresses import LONGEST as LONGEST_ID
from fedcollab.base.addresses import host_of
from fedcollab.base.clock import iso, parse_iso
from fedcollab.base.errors import BadRequest
from fedcollab.base.markup import plain
from fedcollab.federation import activitystreams as ap
from fedcollab.files import wire
from fedcollab.files.service import Attachment

from .rendering import render

TYPES = ("Note", "Article", "Page", "Question", "Event", "Video", "Audio", "Image", "Document")
LONGEST = 100_000
TITLE = 200
FILES = 10


@dataclass(frozen=True)
class PostData:
    """A post between row and object; `context` is the thread's uri, `title` is set on an opener alone; `mentions` are (id, handle).
    `attachments` are its files as its document names them, `files` what was read of them in another server's."""

    uri: str
    context: str
    reply_to: str
    author: str
    group: str
    label: str
    title: str
    html: str
    source: str
    language: str
    posted_at: int
    edited_at: int | None = None
    mentions: tuple[tuple[str, str], ...] = ()
    attachments: tuple[dict[str, Any], ...] = ()
    files: tuple[Attachment, ...] = ()


def to_object(post: PostData) -> dict[str, Any]:
    """An opener is an Article with a name, a reply a Note; addressed to the group's followers, to the public only where it is CLEAR."""
    made: dict[str, Any] = {
        "id": post.uri,
        "type": "Article" if post.title else "Note",
        "attributedTo": post.author,
        "context": post.context,
        "audience": post.group,
        "to": [post.group + "/followers"] + ([ap.PUBLIC] if post.label == CLEAR else []),
        "content": post.html,
        "mediaType": "text/html",
        "published": iso(post.posted_at),
        "url": post.uri,
        ap.LABEL: post.label,
    }
    optional = {"name": post.title, "inReplyTo": post.reply_to, "updated": iso(post.edited_at) if post.edited_at else ""}
    made.update({name: value for name, value in optional.items() if value})
    if post.language:
        made["contentMap"] = {post.language: post.html}
    if post.mentions:
        made["cc"] = [uri for uri, _ in post.mentions]
        made["tag"] = [{"type": "Mention", "href": uri, "name": handle} for uri, handle in post.mentions]
    if post.attachments:
        made["attachment"] = list(post.attachments)
    if post.source:
        made["source"] = {"content": post.source, "mediaType": "text/markdown"}
    return made


def to_tombstone(post: PostData, deleted_at: int) -> dict[str, Any]:
    """What remains of a deleted post: its id, its kind, its thread, the time."""
    return {
        "id": post.uri,
        "type": "Tombstone",
        "formerType": "Note" if post.reply_to else "Article",
        "context": post.context,
        "audience": post.group,
        "deleted": iso(deleted_at),
    }


def parse(document: dict[str, Any], author: str, received_at: int, *, carries: bool = False) -> PostData:
    """Reads another server's post. A missing author is the actor; one of another host, beside or instead, is refused. Where it `carries`
    files, those on its own host are its files; all others, and else all, are links under its text.

    Raises BadRequest."""
    uri = ap.ident(document)
    if not uri or not ap.types(document):
        raise BadRequest(reason="an object needs an id and a type")
    authors = ap.idents(document.get("attributedTo")) or [author]
    if author not in authors or any(host_of(other) != host_of(author) for other in authors):
        raise BadRequest(reason="attributedTo names another than the actor")
    if host_of(uri) != host_of(author):
        raise BadRequest(reason="the object's id lies on another host than its author")
    context, reply_to = ap.ident(document.get("context")), _reply_to(document.get("inReplyTo"))
    if max(len(context.encode()), len(reply_to.encode())) > LONGEST_ID:
        raise BadRequest(reason=f"an id of more than {LONGEST_ID} bytes")
    content = _content(document)
    files = wire.parse(document)[:FILES] if carries else ()
    published = parse_iso(document.get("published")) or received_at
    return PostData(
        uri=uri,
        context=context,
        reply_to=reply_to,
        author=author,
        group=next(iter(ap.idents(document.get("audience"))), ""),
        label=_label(document),
        title=plain(ap.text(document, "name"), TITLE),
        html=render(document, content, {one.uri for one in files}),
        source="",
        language=ap.language(document),
        posted_at=min(published, received_at),
        edited_at=parse_iso(document.get("updated")),
        files=files,
    )


def _reply_to(value: object) -> str:
    """The post that is answered: an id, a thing with one, or a Link; the first of several."""
    for one in value if isinstance(value, list) else [value]:
        found = ap.ident(one) or (ap.ident(one.get("href")) if isinstance(one, dict) else "")
        if found:
            return found
    return ""


def _content(document: dict[str, Any]) -> str:
    content = ap.text(document, "content") or ap.text(document, "summary")
    if len(content) > LONGEST:
        raise BadRequest(reason=f"a post of more than {LONGEST} characters")
    return content


def _label(document: dict[str, Any]) -> str:
    """The narrowest of the label term and the addressing; no term and no public address means partners only."""
    said = document.get(ap.LABEL)
    if said is not None and said not in LABELS:
        raise BadRequest(reason="an unknown label")
    addressing = CLEAR if ap.is_public(document) else GREEN
    return narrowest(addressing, *([str(said)] if said else []))
