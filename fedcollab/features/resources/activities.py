"""Decides how a record reads as an ActivityStreams object, both ways; pure, without a database."""

from dataclasses import dataclass, field, replace
from typing import Any

from fedcollab.access.models import CLEAR, GREEN, LABELS
from fedcollab.access.policy import narrowest
from fedcollab.base.addresses import LONGEST, host_of
from fedcollab.base.clock import iso, parse_iso
from fedcollab.base.errors import BadRequest
from fedcollab.base.markup import as_html, clean, first_words, plain
from fedcollab.federation import activitystreams as ap

from .checking import address, readable
from .models import CURRENT, REPLACED, WITHDRAWN
from .record import NAME, SUMMARY, TITLE, Record

VERSIONS, TRANSLATIONS, REASON, NOTE = 100, 50, 2000, 1000  # versions and translations of one; characters
USES = 50
MOST = 1 << 53
STATES = (CURRENT, REPLACED, WITHDRAWN)


@dataclass(frozen=True)
class VersionData:
    """One version as its document says it; `file` is an attachment, or None where it is a link or nothing at all."""

    number: int
    published_at: int
    note: str = ""
    link: str = ""
    state: str = CURRENT
    reason: str = ""
    file: dict[str, Any] | None = None


@dataclass(frozen=True)
class UseData:
    """What a story may be used for and where, in codes, until when (microseconds since the epoch)."""

    use: str
    channel: str
    until: int


@dataclass(frozen=True)
class ResourceData:
    """A resource between row and object; `author` is the id of the organisation that publishes it, `html` its description as safe HTML,
    `versions` oldest first, `translations` the ids of the same thing in other languages."""

    uri: str
    author: str
    label: str
    record: Record
    html: str
    revision: int
    posted_at: int
    changed_at: int
    versions: tuple[VersionData, ...]
    state: str = CURRENT
    reason: str = ""
    translations: tuple[str, ...] = field(default=())
    discussion: str = ""
    uses: tuple[UseData, ...] = ()

    @property
    def newest(self) -> VersionData | None:
        return self.versions[-1] if self.versions else None


def to_object(found: ResourceData) -> dict[str, Any]:
    """A Document with its file, an Article without; whoever does not know `fc:Resource` reads title, description and file."""
    record, newest = found.record, found.newest
    file = newest.file if newest else None
    made: dict[str, Any] = {
        "id": found.uri,
        "type": ["Document" if file else "Article", ap.RESOURCE],
        "attributedTo": found.author,
        "to": [found.author + "/followers"] + ([ap.PUBLIC] if found.label == CLEAR else []),
        "name": record.title,
        "content": found.html,
        "mediaType": "text/html",
        "published": iso(found.posted_at),
        "updated": iso(found.changed_at),
        "url": found.uri,
        ap.LABEL: found.label,
        ap.RECORD: _record(found),
    }
    if record.language:
        made["contentMap"] = {record.language: found.html}
    if record.summary:
        made["source"] = {"content": record.summary, "mediaType": "text/markdown"}
    if file:
        made["attachment"] = [file]
    return made


def _record(found: ResourceData) -> dict[str, Any]:
    record = found.record
    said: dict[str, Any] = {
        "revision": found.revision,
        "state": found.state,
        "reason": found.reason,
        "authors": list(record.authors),
        "publisher": record.publisher,
        "year": record.year,
        "language": record.language,
        "countries": list(record.countries),
        "kind": record.kind,
        "topics": list(record.topics),
        "licence": record.licence,
        "source": record.source,
        "identifier": record.identifier,
        "reviewOn": record.review_on,
        "translations": list(found.translations),
        "discussion": found.discussion,
        "uses": [{"use": one.use, "channel": one.channel, "until": iso(one.until)} for one in found.uses],
        "versions": [_version(one) for one in found.versions],
    }
    return {name: value for name, value in said.items() if value not in ("", None, [])}


def _version(one: VersionData) -> dict[str, Any]:
    said = {"number": one.number, "published": iso(one.published_at), "state": one.state}
    more = {"note": one.note, "reason": one.reason, "link": one.link, "file": one.file}
    return said | {name: value for name, value in more.items() if value}


def to_tombstone(uri: str, author: str, revision: int, deleted_at: int) -> dict[str, Any]:
    """What remains of a deleted record: its id, its kind, whose it was, when, and the revision that nothing older comes after."""
    return {
        "id": uri,
        "type": ["Tombstone", ap.RESOURCE],
        "formerType": "Document",
        "attributedTo": author,
        "deleted": iso(deleted_at),
        ap.RECORD: {"revision": revision},
    }


def parse(document: dict[str, Any], author: str, received_at: int) -> ResourceData:
    """Reads a partner's record. What is not in our lists is Other or left out, what is too much is cut; a wrong id, author, label,
    revision or state is refused: BadRequest."""
    said = document.get(ap.RECORD)
    if not isinstance(said, dict):
        raise BadRequest(reason="a resource without its record")
    check_origin(document, author)
    summary = _markdown(document)
    content = ap.text(document, "content")
    if len(content) > 4 * SUMMARY:
        raise BadRequest(reason="a description that is too long")
    html = as_html(content) if document.get("mediaType") == "text/plain" else clean(content)
    record = _read(said, plain(ap.text(document, "name"), TITLE) or first_words(html, TITLE), summary)
    versions = _versions(said.get("versions"), received_at)
    published = _when(document.get("published"), received_at)
    return ResourceData(
        uri=ap.ident(document),
        author=author,
        label=label_of(document),
        record=record,
        html=html,
        revision=revision_of(document),
        posted_at=published,
        changed_at=_when(document.get("updated"), received_at) if "updated" in document else published,
        versions=versions,
        state=_state(said.get("state", CURRENT), (CURRENT, WITHDRAWN)),
        reason=line(said.get("reason"), REASON),
        translations=_ids(said.get("translations")),
        discussion=next(iter(_ids([said.get("discussion")])), ""),
        uses=_uses(said.get("uses")),
    )


def _when(said: object, received_at: int) -> int:
    """A time in the past, or the moment at which it came."""
    at = parse_iso(said)
    return received_at if at is None else min(at, received_at)


def check_origin(document: dict[str, Any], author: str) -> None:
    """Raises BadRequest unless an object is its actor's own, by its author and its id's host."""
    if (ap.idents(document.get("attributedTo")) or [author]) != [author]:
        raise BadRequest(reason="attributedTo names another than the actor")
    if host_of(ap.ident(document)) != host_of(author):
        raise BadRequest(reason="the object's id lies on another host than its author")


def revision_of(document: dict[str, Any]) -> int:
    """The number by which a later word is told from an earlier one. Raises BadRequest."""
    said = document.get(ap.RECORD)
    revision = said.get("revision") if isinstance(said, dict) else None
    if type(revision) is not int or not 0 < revision < MOST:
        raise BadRequest(reason="a record without its revision")
    return revision


def label_of(document: dict[str, Any]) -> str:
    """The narrowest of the label term and the addressing; no term and no public address means partners only. Raises BadRequest."""
    said = document.get(ap.LABEL)
    if said is not None and said not in LABELS:
        raise BadRequest(reason="an unknown label")
    return narrowest(CLEAR if ap.is_public(document) else GREEN, *([str(said)] if said else []))


def _markdown(document: dict[str, Any]) -> str:
    source = document.get("source")
    written = isinstance(source, dict) and source.get("mediaType") == "text/markdown"
    return ap.text(source, "content")[:SUMMARY] if written and isinstance(source, dict) else ""


def _read(said: dict[str, Any], title: str, summary: str) -> Record:
    year = said.get("year")
    return readable(
        Record(
            title=title,
            authors=_texts(said.get("authors")),
            publisher=line(said.get("publisher"), NAME),
            year=year if type(year) is int else None,
            language=line(said.get("language"), 16),
            countries=_texts(said.get("countries")),
            kind=line(said.get("kind"), 16),
            topics=_texts(said.get("topics")),
            licence=line(said.get("licence"), 32),
            summary=summary,
            source=said["source"] if isinstance(said.get("source"), str) else "",
            identifier=line(said.get("identifier"), NAME),
            review_on=line(said.get("reviewOn"), 10),
        )
    )


def line(value: object, most: int) -> str:
    """A text of a document as one line of at most so many characters; empty for what is none."""
    return plain(value[: 4 * most], most) if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(one for one in value[:200] if isinstance(one, str) and len(one) <= 4 * NAME) if isinstance(value, list) else ()


def _ids(value: object) -> tuple[str, ...]:
    found = [one for one in value[:TRANSLATIONS] if isinstance(one, str) and len(one) <= LONGEST] if isinstance(value, list) else []
    return tuple(sorted({uri for uri in map(address, found) if uri}))


def _uses(value: object) -> tuple[UseData, ...]:
    listed = [one for one in value[:USES] if isinstance(one, dict)] if isinstance(value, list) else []
    read = [UseData(line(one.get("use"), 20), line(one.get("channel"), 20), parse_iso(one.get("until")) or 0) for one in listed]
    return tuple(one for one in read if one.use and one.channel and one.until)


def _state(value: object, known: tuple[str, ...]) -> str:
    if value not in known:
        raise BadRequest(reason="a state that is none")
    return str(value)


def _versions(value: object, received_at: int) -> tuple[VersionData, ...]:
    """The newest hundred, in order. Raises BadRequest where their numbers are none or come twice, or an older one says to be current."""
    listed = value if isinstance(value, list) else []
    if len(listed) > VERSIONS:
        raise BadRequest(reason=f"more than {VERSIONS} versions")
    found = sorted((_one(one, received_at) for one in listed), key=lambda one: one.number)
    if len({one.number for one in found}) < len(found):
        raise BadRequest(reason="two versions with one number")
    older = [replace(one, state=REPLACED) if one.state == CURRENT else one for one in found[:-1]]
    return (*older, *found[-1:])


def _one(value: object, received_at: int) -> VersionData:
    number = value.get("number") if isinstance(value, dict) else None
    if not isinstance(value, dict) or type(number) is not int or not 0 < number < 100_000:
        raise BadRequest(reason="a version without its number")
    file = value.get("file")
    return VersionData(
        number=number,
        published_at=_when(value.get("published"), received_at),
        note=line(value.get("note"), NOTE),
        link=address(value["link"]) if isinstance(value.get("link"), str) else "",
        state=_state(value.get("state", CURRENT), STATES),
        reason=line(value.get("reason"), REASON),
        file=file if isinstance(file, dict) else None,
    )
