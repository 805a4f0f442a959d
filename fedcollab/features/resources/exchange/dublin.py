"""Decides what a record says in Dublin Core: for harvesters as an element, for a page's head as pairs of names and values."""

from collections.abc import Iterator

from markupsafe import Markup

from fedcollab.base.config import Settings
from fedcollab.base.xmldoc import element
from fedcollab.features.resources.models import WITHDRAWN
from fedcollab.features.resources.record import Record
from fedcollab.features.resources.words import KINDS, LICENCES, TOPICS

from .choosing import Item

SPACE = "http://www.openarchives.org/OAI/2.0/oai_dc/"
SCHEMA = "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"
ELEMENTS = "http://purl.org/dc/elements/1.1/"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"


def pairs(record: Record, label: str, uri: str, *, publisher: str, abstract: str) -> Iterator[tuple[str, str]]:
    """(element, value) of what is known; the English names of codes, which other catalogues read."""
    number, _, value = record.identifier.partition(":")
    said = [
        ("title", record.title),
        *(("creator", name) for name in record.authors),
        ("publisher", record.publisher or publisher),
        ("date", str(record.year or "")),
        ("language", record.language),
        ("type", KINDS.get(record.kind, "")),
        *(("subject", TOPICS.get(code, code)) for code in record.topics),
        *(("coverage", code) for code in record.countries),
        ("description", abstract),
        ("rights", LICENCES.get(record.licence, "")),
        ("identifier", uri),
        ("identifier", f"https://doi.org/{value}" if number == "doi" else f"urn:isbn:{value}" if value else ""),
        ("relation", record.source),
        ("rights", label),
    ]
    return ((name, text) for name, text in said if text)


def element_of(item: Item, settings: Settings) -> Markup:
    """A record as `oai_dc`. What was withdrawn says so."""
    abstract = f"Withdrawn by its publisher: {item.reason}" if item.state == WITHDRAWN else item.abstract
    said = pairs(item.record, item.label, item.uri, publisher=item.name or settings.name, abstract=abstract)
    about = {
        "xmlns__oai_dc": SPACE,
        "xmlns__dc": ELEMENTS,
        "xmlns__xsi": INSTANCE,
        "xsi__schemaLocation": f"{SPACE} {SCHEMA}",
    }
    return element("oai_dc:dc", *(element(f"dc:{name}", text) for name, text in said), **about)
