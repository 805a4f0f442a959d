"""Every page of a node is in the reader's language alone: each text on it is one of that language's translations."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import cycle

import pytest
import sqlalchemy as sa

from deploy._dev import catalogues
from fedcollab.access.models import Block
from fedcollab.actors.models import Actor
from fedcollab.base.clock import HOUR, MICROSECONDS, new_id
from fedcollab.base.i18n import catalogue, direction, time_zones, words
from fedcollab.base.session import Session
from fedcollab.features.discussions.models import Post
from fedcollab.federation.models import Application, Partner
from fedcollab.federation.partners import MOVES
from tests.features.conftest import House
from tests.web import Visitor

LANGUAGES = sorted(catalogues.PLURALS)
LINK = re.compile(r'(?:href|action)="(/[^"#?]*)')
NO_PAGES = ("/static/", "/language/", "/logout", "/settings/notices", "/preview", "/keep")
INLINE, VOID = ("b", "bdi"), ("meta", "link", "input", "br", "use", "path", "hr", "img")
WORDY = ("aria-label", "title", "placeholder", "alt", "data-l")
RARE = (
    "Removed by its author.",
    "not vouched for",
    "Waiting for the host's confirmation",
    "Met through partners",
    "Unblock",
    "No longer a member",
    "Applications",
)
LETTERS = re.compile(r"[^\W\d_]")
ERRORS = ["the name was not found", "no answer within 15 seconds", "their certificate is not valid", "answered 401", "answered 503", "odd"]


class Shown(HTMLParser):
    """The texts that people read: sentences with their inline parts, spoken attributes; not what people or machines wrote themselves."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, bool]] = []
        self.found: list[str] = []
        self.sentence = ""
        self.html: dict[str, str | None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.html = self.html or given
        self.found += [value or "" for name, value in attrs if name in WORDY]
        names = (given.get("class") or "").split()
        kept_apart = given.get("translate") == "no" or given.get("dir") or given.get("lang") or {"ltr", "code", "who"} & set(names)
        if tag not in INLINE:
            self.end_sentence()
        if tag not in VOID:
            self.open.append((tag, bool(tag != "html" and (kept_apart or tag in ("textarea", "svg", "code", "title")))))

    def handle_endtag(self, tag: str) -> None:
        if tag not in INLINE:
            self.end_sentence()
        while tag not in VOID and self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not any(apart for _, apart in self.open):
            self.sentence += NAME if self.open and self.open[-1][0] == "bdi" else data

    def end_sentence(self) -> None:
        self.found.append(" ".join(self.sentence.split()))
        self.sentence = ""


NAME = "Ñ"  # stands for what a name or address was
COUNTS, COUNTED = ("num", "page", "pages", "length", "most", "least"), r"\d[\d\W]*?"


def known(language: str) -> re.Pattern[str]:
    """What may stand on a page: the translations, filled in, times as the language tells them, and the ids of time zones."""
    texts = [
        form
        for message in catalogues.read_po(_file(language), locale=language)
        for form in (catalogues.forms(message) if message.id else [])
    ]
    plain = [" ".join(re.sub(r"</?\w+[^>]*>", "", text).split()) for text in texts]
    sentences = [re.sub(r"%\\\((\w+)\\\)s", lambda found: COUNTED if found[1] in COUNTS else ".+?", re.escape(text)) for text in plain]
    reader = words(language, "UTC")
    told = {reader.when(HOUR - since * MICROSECONDS, HOUR) for since in range(3600)} | {reader.when(0, hours * HOUR) for hours in range(24)}
    date = re.sub(r"\d+", r"\\d+", re.escape(reader.date(0))).replace(re.escape(_month(language)), r"[^\W\d_]+\.?")
    return re.compile("|".join([*sentences, *map(re.escape, [*told, *time_zones()]), date, r"[\W\d_]*(?:Ñ[\W\d_]*)*"]))


def _file(language: str) -> Iterator[bytes]:
    return iter(
        (catalogues.ROOT / "fedcollab" / "locales" / language / "LC_MESSAGES" / "messages.po").read_bytes().splitlines(keepends=True)
    )


def _month(language: str) -> str:
    return re.sub(r"[\d\s,،:]", "", words(language, "UTC").date(0))


def foreign(html: str, language: str, pattern: re.Pattern[str]) -> list[str]:
    """The texts of a page that are no translation of this language."""
    shown = Shown()
    shown.feed(html)
    shown.close()
    assert (shown.html["lang"], shown.html["dir"]) == (language, direction(language))
    return [text for text in shown.found if LETTERS.search(text.replace(NAME, "")) and not pattern.fullmatch(text)]


async def fill(house: House) -> list[str]:
    """Something of everything: groups, posts of each state, partners of each state, strangers. Answers addresses that no page links to."""
    admin, site = house.admin, house.site
    member = await site.member("amal")
    group = await site.group(admin, "leads", "TLP:GREEN")
    await site.group(admin, "empty", "TLP:GREEN")
    for slug, label in (("open", "TLP:CLEAR"), ("inside", "TLP:AMBER+STRICT")):
        await site.thread(admin, await site.group(admin, slug, label))
    posted = await site.thread(admin, group)
    await member.post(f"/threads/{posted.thread_id}", act="send", text="One answer", once=new_id())
    await admin.post(f"/posts/{posted.post_id}/edit", text="What did you see?")
    await admin.post("/admin/members/invite", role="moderator")
    people = await site.write(lambda session, node: _others(session, node.now(), posted.post_id))
    posts = [f"/posts/{posted.post_id}/{act}" for act in ("edit", "delete", "history")]
    return [*posts, *(f"/people/{one}" for one in people), "/nothing", "/join/none", "/link/none", "/login"]


def _others(session: Session, now: int, post_id: str) -> list[str]:
    """Partners of each state, a stranger, and people that a partner has introduced or nobody vouches for, with copies of a post."""
    for number, (state, error) in enumerate(zip(MOVES, cycle(ERRORS), strict=False)):
        row = _actor(session, now, f"n{number}", known="partner")
        values = dict(id=new_id(), organisation_id=row, host=f"n{number}.example.org", state=state, created_at=now)
        session.execute(sa.insert(Partner).values(values | dict(last_error=error, last_error_at=now, last_success_at=now - number * HOUR)))
    session.execute(sa.insert(Application).values(host="x.example.org", actor_uri="", times=3, first_at=now, last_at=now))
    organisations = [_actor(session, now, f"i{number}", known="introduced", through_id=row) for number in range(2)]
    session.execute(sa.insert(Block).values(organisation_id=organisations[1], at=now))
    people = [
        _actor(session, now, known, known=known, kind="Person", through_id=row, organisation_id=organisations[0], disabled_at=gone)
        for known, gone in (("introduced", None), ("foreign", now))
    ]
    ours = dict(session.execute(sa.select(Post.__table__).where(Post.id == post_id)).one()._mapping)
    for number, (author, deleted, confirmed) in enumerate([(people[0], None, now), (people[1], now, now), (ours["author_id"], None, None)]):
        copied = ours | dict(
            id=(made := new_id()), uri=made, author_id=author, deleted_at=deleted, confirmed_at=confirmed, place=90 + number
        )
        session.execute(sa.insert(Post).values(copied))
    return people


def _actor(session: Session, now: int, name: str, **values: object) -> str:
    """The row id of somebody on another host, an organisation unless `values` say otherwise."""
    row, uri = new_id(), f"https://{name}.example.org/actor"
    usual = dict(id=row, uri=uri, kind="Organization", username=name, name=name.title(), summary="", host=f"{name}.example.org")
    session.execute(sa.insert(Actor).values(usual | dict(organisation_id=row, inbox=uri, created_at=now, updated_at=now) | values))
    return row


async def walk(reader: Visitor, language: str, more: list[str]) -> dict[str, str]:
    """{address: page} of all pages that links lead to, and of some more."""
    waiting, pages = ["/", *more], dict[str, str]()
    while waiting and len(pages) < 60:
        path = waiting.pop()
        if path in pages or path.startswith(NO_PAGES):
            continue
        _, headers, html = await reader.ask("GET", path, headers={"Accept-Language": language})
        if headers.get("Content-Type", "").startswith("text/html"):
            pages[path] = html
            waiting += LINK.findall(html)
        elif "Location" in headers:
            waiting.append(headers["Location"].partition("#")[0])
    return pages


FORMS: list[tuple[str, dict[str, str]]] = [
    ("/admin/partners", {"address": "http://127.0.0.1:9"}),
    ("/admin/partners", {"address": "not an address"}),
    ("/admin/members/invite", {"role": "member"}),
    ("/admin/members/invite", {}),
    ("/groups/new", {"slug": "Not One", "name": "x", "label": "TLP:GREEN"}),
    ("/groups/new", {"slug": "leads", "name": "x", "label": "TLP:GREEN"}),
    ("/groups/new", {"slug": "more", "name": "x", "label": "TLP:RED"}),
    ("/settings", {"name": ""}),
    ("/settings", {"name": "x", "time_zone": "Mars/Olympus"}),
    ("/settings/password", {"old": "wrong", "password": "x"}),
    ("/login", {"username": "ilse", "password": "wrong"}),
]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_page_is_in_the_readers_language_alone(house: House, language: str) -> None:
    more, pattern = await fill(house), known(language)
    pages = await walk(house.admin, language, more)
    public = await walk(house.site.stranger(), language, more)
    found = {path: foreign(html, language, pattern) for path, html in [*pages.items(), *public.items()]}
    assert {path: texts for path, texts in found.items() if texts} == {}
    translate, shown = catalogue(language).gettext, "".join(pages.values())
    assert [text for text in RARE if translate(text) not in shown] == []
    assert len(pages) > 25
    assert len(public) > 5


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_a_refused_form_says_is_in_the_readers_language_alone(house: House, language: str) -> None:
    more, pattern = await fill(house), known(language)
    answers = {}
    for path, form in FORMS:
        token = await house.admin.token("/settings")
        status, _, html = await house.admin.ask("POST", path, form | {"token": token}, {"Accept-Language": language})
        assert status in (200, 403, 422), (path, status)
        answers[path, str(form)] = foreign(html, language, pattern)
    post = more[0].rpartition("/")[0]
    for path, form in ((post + "/edit", {"text": ""}), ("/settings", {"name": "x"})):
        _, _, html = await house.admin.ask("POST", path, form | {"token": "0"}, {"Accept-Language": language})
        answers[path, str(form)] = foreign(html, language, pattern)
    assert {asked: found for asked, found in answers.items() if found} == {}


def test_an_english_text_on_an_arabic_page_is_found() -> None:
    frame = '<html lang="ar" dir="rtl"><p>{}</p></html>'
    pattern = known("ar")
    assert foreign(frame.format("Sign in"), "ar", pattern) == ["Sign in"]
    assert foreign(frame.format('</p><nav aria-label="Pages"></nav><p>'), "ar", pattern) == ["Pages"]
    assert foreign(frame.format(catalogue("ar").gettext("Sign in")), "ar", pattern) == []
    assert foreign(frame.format("<bdi>Ilse</bdi> (3)"), "ar", pattern) == []
