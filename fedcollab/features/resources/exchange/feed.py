"""Decides what the library's feeds say: for each filter the newest of what is public, as Atom; the same for whoever asks."""

from aiohttp import web
from markupsafe import Markup

from fedcollab.access.viewer import ANYBODY
from fedcollab.base.clock import iso
from fedcollab.base.config import Settings
from fedcollab.base.i18n import catalogue
from fedcollab.base.xmldoc import element, written
from fedcollab.features.resources.words import LICENCES, TOPICS
from fedcollab.federation.kernel import KERNEL

from . import choosing, conditional, exporting
from .choosing import Choice, Item

MOST = 50
ATOM, MEDIA_TYPE = "http://www.w3.org/2005/Atom", "application/atom+xml; charset=utf-8"
EPOCH = 0


async def show_feed(request: web.Request) -> web.Response:
    """What is public of the library, as filtered, newest first; a reader that comes again is told that nothing is new."""
    kernel = request.app[KERNEL]
    exporting.take_turn(request)
    asked = choosing.choice(request.query)
    asked = Choice(asked.q, asked.chosen)
    items, _ = await kernel.database.read(choosing.part, ANYBODY, asked, "")
    items = items[:MOST]
    changed_at = max((item.changed_at for item in items), default=EPOCH)
    return conditional.answer(request, document(kernel.node.settings, asked, items, changed_at), MEDIA_TYPE, changed_at)


def document(settings: Settings, asked: Choice, items: list[Item], changed_at: int) -> str:
    """The feed as RFC 4287 has it. Its id is its address, whose query is written in one order alone."""
    about = "?" + asked.query if asked.query else ""
    here = settings.uri("/library/feed" + about)
    title = catalogue(settings.language).gettext("Library")
    head = [
        element("id", here),
        element("title", f"{settings.name}: {title}"),
        element("updated", iso(changed_at)),
        element("author", element("name", settings.name), element("uri", settings.uri("/"))),
        element("link", rel="self", type="application/atom+xml", href=here),
        element("link", rel="alternate", type="text/html", href=settings.uri("/library" + about)),
        element("generator", "fedcollab"),
    ]
    feed = element("feed", *head, *(_entry(settings, item) for item in items), xmlns=ATOM, xml__lang=settings.language)
    return written(feed)


def _entry(settings: Settings, item: Item) -> Markup:
    record = item.record
    parts = [
        element("id", item.uri),
        element("title", record.title),
        element("updated", iso(item.changed_at)),
        element("published", iso(item.posted_at)),
        element("link", rel="alternate", type="text/html", href=settings.uri(f"/library/{item.id}")),
        *(element("author", element("name", name)) for name in (record.authors or (record.publisher or item.name,))),
        element("summary", item.abstract),
        *(element("category", term=code, label=TOPICS.get(code, code)) for code in record.topics),
    ]
    if record.licence:
        parts.append(element("rights", LICENCES.get(record.licence, record.licence)))
    return element("entry", *parts, xml__lang=record.language or None)
