"""Feeds say what is public, as RFC 4287 has it, and the same to whoever asks; who has it already is told so."""

import re
from dataclasses import replace

import pytest

from fedcollab.base import xmldoc
from fedcollab.base.clock import parse_iso
from fedcollab.base.xmldoc import Element
from fedcollab.features.resources import service
from fedcollab.features.resources.exchange.feed import ATOM
from fedcollab.features.resources.record import Record
from tests.features.conftest import House, house

from .shelf import GREEN, HIDDEN, PUBLIC, STRICT, add, fill, of_partner

__all__ = ["house"]
ONE_OF_FEED = ("id", "title", "updated", "generator", "icon", "logo", "rights", "subtitle")
ONE_OF_ENTRY = ("id", "title", "updated", "published", "summary", "content", "rights", "source")


def name(element: Element) -> str:
    assert element.tag.startswith(f"{{{ATOM}}}"), element.tag
    return element.tag.rpartition("}")[2]


def absolute(text: str) -> bool:
    return bool(re.fullmatch(r"https?://[^\s<>\"]+", text))


def check(text: str) -> Element:
    """The rules of RFC 4287 that concern what a feed of ours can be."""
    feed = xmldoc.read(text)
    assert name(feed) == "feed"
    parts = [name(child) for child in feed.children]
    assert all(parts.count(one) <= 1 for one in ONE_OF_FEED)
    assert {"id", "title", "updated", "author"} <= set(parts)
    assert parts == sorted(parts, key=lambda part: part == "entry")
    check_links(feed)
    assert [child.attributes["rel"] for child in feed.children if name(child) == "link"].count("self") == 1
    ids = []
    for entry in (child for child in feed.children if name(child) == "entry"):
        inner = [name(child) for child in entry.children]
        assert all(inner.count(one) <= 1 for one in ONE_OF_ENTRY)
        assert {"id", "title", "updated", "author", "summary"} <= set(inner)
        check_links(entry)
        ids.append(entry.first(f"{{{ATOM}}}id"))
    assert len(set(ids)) == len(ids)
    assert all(absolute(one) for one in (feed.first(f"{{{ATOM}}}id"), *ids))
    return feed


def check_links(element: Element) -> None:
    alternates = []
    for child in element.children:
        if name(child) == "link":
            assert absolute(child.attributes["href"])
            if child.attributes["rel"] == "alternate":
                alternates.append((child.attributes["type"], child.attributes.get("hreflang")))
        if name(child) in ("updated", "published"):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", child.text)
            assert parse_iso(child.text) is not None
        if name(child) == "author":
            assert [name(part) for part in child.children].count("name") == 1
        if name(child) == "category":
            assert child.attributes["term"]
    assert len(set(alternates)) == len(alternates)


def titles(feed: Element) -> list[str]:
    return [entry.first(f"{{{ATOM}}}title") for entry in feed.every(f"{{{ATOM}}}entry")]


@pytest.mark.rule("CONF-04")
async def test_a_feed_says_what_is_public_to_strangers_and_members_alike(house: House) -> None:
    made = await fill(house)
    for visitor in (house.site.stranger(), house.admin):
        status, headers, text = await visitor.ask("GET", "/library/feed")
        assert (status, headers["Content-Type"]) == (200, "application/atom+xml; charset=utf-8")
        feed = check(text)
        assert titles(feed) == [PUBLIC.title]
        assert not [word for word in HIDDEN if word in text]
    (entry,) = feed.every(f"{{{ATOM}}}entry")
    assert entry.first(f"{{{ATOM}}}id") == house.site.kernel.node.settings.uri(f"/library/{made['public']}")
    assert [author.first(f"{{{ATOM}}}name") for author in entry.every(f"{{{ATOM}}}author")] == list(PUBLIC.authors)
    assert [one.attributes["term"] for one in entry.every(f"{{{ATOM}}}category")] == ["Shelter", "Outreach"]
    assert entry.attributes[xmldoc.XML_LANG] == "fr"
    assert entry.first(f"{{{ATOM}}}summary") == "Ce qu'il faut savoir d'abord."


async def test_an_empty_library_has_a_feed_too(house: House) -> None:
    assert titles(check((await house.site.stranger().get("/library/feed"))[1])) == []


async def test_each_filter_has_its_feed_by_one_id_in_whatever_order_it_is_asked_for(house: House) -> None:
    await fill(house)
    await add(house, Record("About health", kind="Guide", topics=("Health",)), "TLP:CLEAR")
    await of_partner(house, replace(PUBLIC, title="A partner's guide", identifier=""))
    stranger = house.site.stranger()
    first = check((await stranger.get("/library/feed?topic=Shelter&type=Guide&nonsense=1"))[1])
    other = check((await stranger.get("/library/feed?type=Guide&topic=Shelter"))[1])
    assert titles(first) == titles(other) == ["A partner's guide", PUBLIC.title]
    assert first.first(f"{{{ATOM}}}id") == other.first(f"{{{ATOM}}}id")
    assert first.first(f"{{{ATOM}}}id").endswith("/library/feed?type=Guide&topic=Shelter")
    assert titles(check((await stranger.get("/library/feed?topic=Health"))[1])) == ["About health"]


@pytest.mark.rule("CONF-04")
async def test_who_has_a_feed_already_is_told_so_and_no_hash_or_time_tells_of_what_is_hidden(house: House) -> None:
    made, stranger = await fill(house), house.site.stranger()
    _, headers, _ = await stranger.ask("GET", "/library/feed")
    tag, time = headers["ETag"], headers["Last-Modified"]
    for sent in ({"If-None-Match": tag}, {"If-None-Match": f'"x", W/{tag}'}, {"If-None-Match": "*"}, {"If-Modified-Since": time}):
        status, again, text = await stranger.ask("GET", "/library/feed", headers=sent)
        assert (status, text, again["ETag"]) == (304, "", tag), sent
    for sent in ({"If-None-Match": '"other"'}, {"If-None-Match": '"other"', "If-Modified-Since": time}, {"If-Modified-Since": "never"}):
        assert (await stranger.ask("GET", "/library/feed", headers=sent))[0] == 200
    await add(house, replace(GREEN, title="More that is hidden"), "TLP:GREEN")
    await add(house, replace(STRICT, title="And more"), "TLP:AMBER+STRICT")
    await house.site.write(service.delete, house.admin.viewer, made["green"])
    status, again, _ = await stranger.ask("GET", "/library/feed")
    assert (again["ETag"], again["Last-Modified"]) == (tag, time)
    await house.site.write(service.relabel, house.admin.viewer, made["public"], "TLP:GREEN")
    status, again, text = await stranger.ask("GET", "/library/feed", headers={"If-None-Match": tag})
    assert (status, titles(check(text))) == (200, [])


@pytest.mark.rule("XSS-05")
async def test_what_no_xml_can_carry_is_left_out_and_markup_stays_text(house: House) -> None:
    script = "<script>alert(1)</script>"
    odd = Record(f"{script} ]]>\ufffe", ('"><img src=x>',), "&amp;", kind="Guide", summary=f"a\x0b\x1fb {script}")
    await add(house, odd, "TLP:CLEAR")
    _, text = await house.site.stranger().get("/library/feed")
    assert titles(check(text))[0].startswith("<script>alert(1)</script> ]]>")
    assert "<script" not in text
