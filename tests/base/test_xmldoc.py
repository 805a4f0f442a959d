"""Others' XML is read within bounds and without entities; ours carries nothing that XML can't."""

import pytest

from fedcollab.base import xmldoc
from fedcollab.base.errors import BadRequest
from fedcollab.base.xmldoc import DEEPEST, MOST, element

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMBS = {
    "a billion laughs": f'<!DOCTYPE a [<!ENTITY l0 "lol">{LAUGHS}]><a>&l9;</a>',
    "one long entity often": f'<!DOCTYPE a [<!ENTITY x "{"y" * 10_000}">]><a>{"&x;" * 1000}</a>',
    "a file": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "an address": '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd">%x;]><a/>',
    "a document type elsewhere": '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>',
    "a document type alone": "<!DOCTYPE html><a/>",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS.keys())
def test_a_document_type_is_refused_whatever_it_holds(text: str) -> None:
    with pytest.raises(BadRequest, match="document type"):
        xmldoc.read(text)


def test_what_every_xml_may_have_is_read_with_its_lines() -> None:
    root = xmldoc.read('<?xml version="1.0" encoding="latin-1"?>\n<a xmlns="u:x" b="1">\n<c>h\u00e9 &amp; &#233;<d/>ll</c>\n<c/></a>')
    assert (root.tag, root.attributes, root.line) == ("{u:x}a", {"b": "1"}, 2)
    assert [(child.text, child.line) for child in root.every("{u:x}c")] == [("h\u00e9 & \u00e9ll", 3), ("", 4)]
    assert root.first("{u:x}c") == "h\u00e9 & \u00e9ll"


@pytest.mark.parametrize("text", ["", "junk", "<a>\n<b></a>", "<a>&x;</a>", "<x:a/>", "<a>\0</a>", "<a b='1' b='2'/>", "<a/><b/>"])
def test_what_is_no_xml_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(BadRequest, match="line 2" if "\n" in text else "line 1"):
        xmldoc.read(text)


def test_a_document_beyond_the_bounds_is_refused_and_one_within_is_read() -> None:
    for text in ("<a>" * (DEEPEST + 1) + "</a>" * (DEEPEST + 1), "<a>" + "<b/>" * MOST + "</a>"):
        with pytest.raises(BadRequest, match="too many parts"):
            xmldoc.read(text)
    xmldoc.read("<a>" * DEEPEST + "</a>" * DEEPEST)
    assert len(xmldoc.read("<a>" + "<b/>" * 1000 + "</a>").children) == 1000


def test_what_is_written_is_escaped_and_read_again_as_it_was() -> None:
    text = "<b>\"a\" & 'b'</b>]]>\u00e9\U0001f600\ttab\nline"
    made = element("a", text, element("c"), b=text.replace("\n", " ").replace("\t", " "), xml__lang="fr", left=None)
    root = xmldoc.read(made)
    assert (root.text, len(root.children)) == (text, 1)
    assert root.attributes == {"b": text.replace("\n", " ").replace("\t", " "), xmldoc.XML_LANG: "fr"}


def test_what_xml_cannot_carry_is_left_out() -> None:
    odd = "a" + "".join(map(chr, (*range(9), 11, 12, *range(14, 32), 0xD800, 0xDFFF, 0xFFFE, 0xFFFF))) + "b"
    assert xmldoc.read(element("a", odd, b=odd)).text == "ab"
    assert xmldoc.read(element("a", b=odd)).attributes == {"b": "ab"}
