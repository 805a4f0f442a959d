"""Decides what becomes of each part of an XML document while it is read: a small tree that knows its lines, and bounds."""

from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesNSImpl, Locator

from .xmldoc import DEEPEST, MOST, Element

Name = tuple[str | None, str]


class TooMuch(Exception):
    """The document goes beyond the bounds."""


def _name(name: Name) -> str:
    return f"{{{name[0]}}}{name[1]}" if name[0] else name[1]


class Reading(ContentHandler):
    """What the parser tells, as a tree under `root`."""

    def __init__(self) -> None:
        super().__init__()
        self.root: Element | None = None
        self._open: list[Element] = []
        self._texts: list[list[str]] = []
        self._parts = 0
        self._at: Locator | None = None

    def setDocumentLocator(self, locator: Locator) -> None:  # noqa: N802  # as the parser calls it
        self._at = locator

    def startElementNS(self, name: Name, qname: str | None, attrs: AttributesNSImpl) -> None:  # noqa: N802  # as above
        self._parts += 1 + len(attrs)
        if self._parts > MOST or len(self._open) >= DEEPEST:
            raise TooMuch
        line = (self._at.getLineNumber() if self._at else None) or 1
        made = Element(_name(name), {_name(key): str(value) for key, value in attrs.items()}, line)
        if self._open:
            self._open[-1].children.append(made)
        else:
            self.root = made
        self._open.append(made)
        self._texts.append([])

    def endElementNS(self, name: Name, qname: str | None) -> None:  # noqa: N802  # as above
        self._open.pop().text = "".join(self._texts.pop())

    def characters(self, content: str) -> None:
        if self._texts:
            self._texts[-1].append(content)
