"""Decides how Zotero's RDF is read (items, their collections, attachments by name) and written."""

from collections.abc import Iterator, Mapping

from markupsafe import Markup

from fedcollab.base.errors import BadRequest, N_
from fedcollab.base.xmldoc import DECLARATION, Element, element, opened
from fedcollab.base.xmldoc import read as read_xml
from fedcollab.features.resources.record import Record
from fedcollab.features.resources.words import LICENCES

from . import keywords, matching
from .rows import Entry, Note, Row, broken

SPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "z": "http://www.zotero.org/namespaces/export#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "bib": "http://purl.org/net/biblio#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "link": "http://purl.org/rss/1.0/modules/link/",
}
ITEMS = {"Report": ("Report", "report"), "Research": ("Document", "document"), "Film": ("Recording", "videoRecording")}
ITEMS |= {"Sound": ("Recording", "audioRecording"), "Law": ("Legislation", "statute"), "Data": ("Document", "dataset")}
PARTS = ("Attachment", "Collection", "Memo", "Journal", "Series", "File")  # what is of items, and no item
EDITORS = ("editors", "contributors", "seriesEditors", "directors", "performers", "presenters")
USED = frozenset(
    [
        "title",
        "authors",
        "publisher",
        "date",
        "language",
        "subject",
        "rights",
        "abstract",
        "identifier",
        "itemType",
        "type",
        "isPartOf",
        "link",
        "isReferencedBy",
        "libraryCatalog",
        "dateSubmitted",
        "shortTitle",
        "citationKey",
    ]
) | set(EDITORS)


def _name(tag: str) -> str:
    """A name without its namespace: each namespace of Zotero's has names of its own."""
    return tag.rpartition("}")[2]


def _tag(name: str) -> str:
    space, _, local = name.partition(":")
    return f"{{{SPACES[space]}}}{local}"


def _every(item: Element, name: str) -> list[Element]:
    return [child for child in item.children if _name(child.tag) == name]


def _resource(item: Element) -> str:
    return item.attributes.get(_tag("rdf:resource"), "")


def _about(item: Element) -> str:
    return item.attributes.get(_tag("rdf:about"), "")


def _words(item: Element) -> str:
    """The text of an element, or of the value that lies in it."""
    if item.text.strip():
        return item.text.strip()
    return next((found for child in item.children if (found := _words(child))), "")


def read(text: str) -> Iterator[Row]:
    """The rows of a file, in its order; one row where it is no XML that may be read."""
    try:
        root = read_xml(text)
    except BadRequest as error:
        values = {name: str(value) for name, value in error.values.items()}
        yield Row(int(values.get("line", "1")), reason=Note(error.text, values))
        return
    if root.tag != _tag("rdf:RDF"):
        yield broken(root.line, N_("This XML is no RDF. Export it from Zotero as “Zotero RDF”."))
        return
    things = {_about(child): child for child in root.children if _about(child)}
    lies_in: dict[str, list[str]] = {}
    for child in root.children:
        if _name(child.tag) == "Collection":
            for part in _every(child, "hasPart"):
                lies_in.setdefault(_resource(part), []).append(next((_words(title) for title in _every(child, "title")), ""))
    for child in root.children:
        if _is_item(child):
            yield _row(child, things, lies_in.get(_about(child), []))


def _is_item(child: Element) -> bool:
    kind = next((_words(found) for found in _every(child, "itemType")), "")
    return kind not in ("attachment", "note") and _name(child.tag) not in PARTS and bool(kind or _every(child, "title"))


def _row(item: Element, things: Mapping[str, Element], collections: list[str]) -> Row:
    entry = Entry(item.line)

    def text(name: str) -> str:
        return next((found for child in _every(item, name) if (found := _words(child))), "")

    entry.title, entry.year, entry.language = text("title"), text("date"), text("language")
    entry.licence, entry.summary, entry.publisher = text("rights"), text("abstract"), _publisher(item)
    entry.authors = [name for child in _every(item, "authors") for name in _people(child)]
    entry.edited_by([name for role in EDITORS for child in _every(item, role) for name in _people(child)])
    entry.kind = next((said for said in (text("type"), text("itemType"), _name(item.tag)) if matching.kind(said)), "")
    entry.keywords = [_words(child) for child in _every(item, "subject")]
    _lies_in(entry, item, things)
    _numbers(entry, item)
    entry.files = [_file(things[_resource(child)]) for child in _every(item, "link") if _resource(child) in things]
    if any(_name(things[found].tag) == "Memo" for child in _every(item, "isReferencedBy") if (found := _resource(child)) in things):
        entry.unused.append("notes")
    if named := [name for name in collections if name]:
        entry.say(N_("In Zotero it lies in: %(names)s"), names="; ".join(named))
    entry.unused += [_name(child.tag) for child in item.children if _name(child.tag) not in USED and _words(child)]
    return entry.row()


def _publisher(item: Element) -> str:
    for child in _every(item, "publisher"):
        named = [_words(name) for found in child.children for name in _every(found, "name")]
        if found := next(filter(None, named), "") or _words(child):
            return found
    return ""


def _people(creators: Element) -> Iterator[str]:
    for sequence in creators.children:
        for entry in sequence.children:
            for person in entry.children:
                parts = [next((_words(found) for found in _every(person, name)), "") for name in ("givenName", "surname")]
                name = " ".join(filter(None, parts)) or next((_words(found) for found in _every(person, "name")), "")
                if name:
                    yield name


def _lies_in(entry: Entry, item: Element, things: Mapping[str, Element]) -> None:
    """What it appeared in: its title stands for the publisher where none is named; its numbers are not the item's own, but a book's is."""
    for part in _every(item, "isPartOf"):
        whole = things.get(_resource(part)) or next(iter(part.children), None)
        if whole is None:
            continue
        entry.appeared_in(next((_words(found) for found in _every(whole, "title")), ""))
        entry.identifiers += [said for found in _every(whole, "identifier") if (said := _words(found)).upper().startswith("DOI")]


def _numbers(entry: Entry, item: Element) -> None:
    for child in _every(item, "identifier"):
        said = _words(child)
        if any(_name(inner.tag) == "URI" for inner in child.children):
            entry.sources.append(said)
        elif said.upper().startswith("ISSN"):
            entry.unused.append("ISSN")
        elif said:
            entry.identifiers.append(said)


def _file(attachment: Element) -> str:
    place = next((_resource(found) for found in _every(attachment, "resource")), "")
    return place.rpartition("/")[2] or next((_words(title) for title in _every(attachment, "title")), "") or _about(attachment)


def head() -> str:
    """What stands before the items."""
    return DECLARATION + opened("rdf:RDF", **{f"xmlns__{name}": space for name, space in SPACES.items()}) + "\n"


TAIL = "</rdf:RDF>\n"


def write(record: Record, label: str, uri: str) -> str:
    """One item; `uri` names it within the file."""
    cls, kind = ITEMS.get(record.kind, ("Document", "document"))
    number, _, value = record.identifier.partition(":")
    parts = [
        element("z:itemType", kind),
        _some("dc:title", record.title),
        _authors(record.authors),
        element("dc:publisher", element("foaf:Organization", element("foaf:name", record.publisher))) if record.publisher else None,
        _some("dc:date", str(record.year or "")),
        _some("z:language", record.language),
        *(element("dc:subject", word) for word in keywords.of(record, label)),
        _some("dc:rights", LICENCES.get(record.licence, "")),
        _some("dcterms:abstract", record.summary),
        element("dc:identifier", element("dcterms:URI", element("rdf:value", record.source))) if record.source else None,
        _some("dc:identifier", f"{number.upper()} {value}" if value else ""),
    ]
    return str(element(f"bib:{cls}", *parts, rdf__about=uri)) + "\n"


def _some(name: str, text: str) -> Markup | None:
    return element(name, text) if text else None


def _authors(authors: tuple[str, ...]) -> Markup | None:
    people = [element("rdf:li", element("foaf:Person", element("foaf:surname", name))) for name in authors]
    return element("bib:authors", element("rdf:Seq", *people)) if people else None
