"""Decides how XML is read and written: what others send without any DTD or entity and within bounds; what we send escaped, and only
with characters that XML can carry."""

import re
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from .errors import BadRequest, N_

DEEPEST, MOST = 40, 300_000  # elements within elements; elements and attributes of one document
UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
CODING = re.compile(r"^\ufeff?\s*<\?xml[^>]*\?>")
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass
class Element:
    """One element: `tag` and the names in `attributes` as "{namespace}name", the text right within it, the line that it begins in."""

    tag: str
    attributes: dict[str, str]
    line: int
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def every(self, tag: str) -> list["Element"]:
        """Its children of this name."""
        return [child for child in self.children if child.tag == tag]

    def first(self, tag: str) -> str:
        """The text of its first child of this name, or nothing."""
        return next((child.text.strip() for child in self.children if child.tag == tag), "")


def read(text: str) -> Element:
    """A document of somebody else, whatever coding it says it had. Raises BadRequest with the line for what is no XML, has a DTD or
    entities of its own, or goes beyond the bounds."""
    from io import BytesIO
    from xml.sax import SAXParseException, xmlreader

    from defusedxml.common import DefusedXmlException
    from defusedxml.expatreader import create_parser

    from .xmlreading import Reading, TooMuch

    reading, parser, source = Reading(), create_parser(forbid_dtd=True), xmlreader.InputSource()
    parser.setFeature("http://xml.org/sax/features/namespaces", True)
    parser.setContentHandler(reading)
    try:
        source.setEncoding("utf-8")
        source.setByteStream(BytesIO(CODING.sub("", text).encode("utf-8", "replace")))
        parser.parse(source)
    except DefusedXmlException:
        raise BadRequest(N_("The file has a document type or entities of its own, which are not read. Export it again without.")) from None
    except SAXParseException as error:
        raise BadRequest(N_("The file is broken in line %(line)s: from there on it is no XML."), line=error.getLineNumber() or 1) from None
    except TooMuch:
        raise BadRequest(N_("The file has too many parts, or parts that lie too deep within each other.")) from None
    if reading.root is None:
        raise BadRequest(N_("The file is broken in line %(line)s: from there on it is no XML."), line=1)
    return reading.root


def fit(text: str) -> str:
    """The text without the characters that XML can't carry in any form."""
    return UNFIT.sub("", text)


def element(name: str, *parts: "str | Markup | None", **attributes: "str | None") -> Markup:
    """An element of ours. Text among `parts` is escaped, elements are not; an attribute's name has `__` for a colon; what is None
    is left out."""
    named = "".join(f' {key.replace("__", ":")}="{escape(fit(value))}"' for key, value in attributes.items() if value is not None)
    inner = "".join(part if isinstance(part, Markup) else str(escape(fit(part))) for part in parts if part is not None)
    return Markup(f"<{name}{named}>{inner}</{name}>" if inner else f"<{name}{named}/>")  # noqa: S704  # escaped above


def written(root: Markup) -> str:
    """A whole document."""
    return f"{DECLARATION}{root}\n"


def opened(name: str, **attributes: str) -> str:
    """The opening tag of what is sent piece by piece."""
    return str(element(name, **attributes))[:-2] + ">"
