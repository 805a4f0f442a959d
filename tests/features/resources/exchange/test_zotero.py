"""Zotero's RDF: items with their people, numbers, collections, notes and files; nothing of it is fetched or expanded."""

import pytest

from fedcollab.features.resources.exchange import formats
from fedcollab.features.resources.exchange.rows import Row
from fedcollab.features.resources.exchange.zotero import SPACES
from fedcollab.features.resources.record import Record
from tests.base.test_xmldoc import BOMBS

SPACE = " ".join(f'xmlns:{name}="{space}"' for name, space in SPACES.items())
REPORT = """
  <bib:Report rdf:about="https://a.example/wages">
    <z:itemType>report</z:itemType>
    <dc:publisher><foaf:Organization><foaf:name>Harbour Network</foaf:name></foaf:Organization></dc:publisher>
    <bib:authors><rdf:Seq>
      <rdf:li><foaf:Person><foaf:surname>Prak</foaf:surname><foaf:givenName>Sokha</foaf:givenName></foaf:Person></rdf:li>
      <rdf:li><foaf:Person><foaf:surname>Meridian Outreach</foaf:surname></foaf:Person></rdf:li>
    </rdf:Seq></bib:authors>
    <link:link rdf:resource="#item_2"/>
    <dcterms:isReferencedBy rdf:resource="#item_3"/>
    <dc:subject>forced labor</dc:subject>
    <dc:subject><z:AutomaticTag><rdf:value>rivers</rdf:value></z:AutomaticTag></dc:subject>
    <dc:title>Wages Never Paid</dc:title>
    <dcterms:abstract>What &lt;we&gt; found.</dcterms:abstract>
    <dc:date>2019-05-01</dc:date>
    <z:language>en</z:language>
    <dc:identifier><dcterms:URI><rdf:value>https://a.example/wages</rdf:value></dcterms:URI></dc:identifier>
    <dc:identifier>ISBN 978-0-306-40615-7</dc:identifier>
    <z:pages>40</z:pages>
  </bib:Report>
  <z:Attachment rdf:about="#item_2"><z:itemType>attachment</z:itemType><rdf:resource rdf:resource="files/2/wages.pdf"/>
    <dc:title>Full text</dc:title></z:Attachment>
  <bib:Memo rdf:about="#item_3"><rdf:value>&lt;p&gt;A note&lt;/p&gt;</rdf:value></bib:Memo>
  <bib:Article rdf:about="#item_4">
    <z:itemType>journalArticle</z:itemType>
    <dcterms:isPartOf><bib:Journal><dc:title>Journal of Invention</dc:title>
      <dc:identifier>DOI 10.1000/J.1</dc:identifier></bib:Journal></dcterms:isPartOf>
    <dc:title>An article</dc:title>
  </bib:Article>
  <z:Collection rdf:about="#collection_1"><dc:title>For the training</dc:title><dcterms:hasPart rdf:resource="#item_4"/></z:Collection>
"""


def rows(inner: str) -> list[Row]:
    return formats.rows(f"<rdf:RDF {SPACE}>{inner}</rdf:RDF>", "rdf")


def test_items_are_read_and_what_belongs_to_them_is_none() -> None:
    first, second = rows(REPORT)
    assert first.line == 2
    assert first.record == Record(
        title="Wages Never Paid",
        authors=("Sokha Prak", "Meridian Outreach"),
        publisher="Harbour Network",
        year=2019,
        language="en",
        kind="Report",
        topics=("ForcedLabour",),
        summary="What <we> found.",
        source="https://a.example/wages",
        identifier="isbn:9780306406157",
    )
    assert [note.text % note.values for note in first.notes] == [
        "These keywords are none of our topics and are left out: rivers",
        "Files are named and not fetched: wages.pdf",
        "Left out: notes, pages",
    ]
    assert second.record == Record("An article", publisher="Journal of Invention", kind="Research", identifier="doi:10.1000/j.1")
    assert [note.text % note.values for note in second.notes] == [
        "It names no publisher: what it appeared in is taken for it.",
        "In Zotero it lies in: For the training",
    ]


def test_an_item_without_a_title_has_its_reason_and_the_next_goes_on() -> None:
    first, second = rows("<bib:Book><z:itemType>book</z:itemType></bib:Book>\n<bib:Book><dc:title>Two</dc:title></bib:Book>")
    assert first.reason
    assert (second.line, second.record and second.record.title) == (2, "Two")


def test_another_xml_and_a_cut_file_are_refused_in_words() -> None:
    for text, word in (("<html/>", "no RDF"), (f"<rdf:RDF {SPACE}>\n<bib:Book>", "broken in line 2")):
        (row,) = formats.rows(text, "rdf")
        assert row.reason
        assert word in row.reason.text % row.reason.values


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS.keys())
@pytest.mark.rule("DOS-20")
def test_bombs_and_entities_are_refused_in_words(text: str) -> None:
    (row,) = formats.rows(text, "rdf")
    assert row.reason
    assert "document type" in row.reason.text
