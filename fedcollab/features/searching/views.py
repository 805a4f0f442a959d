"""Decides what the page of the one box shows, and how often somebody may ask."""

from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from fedcollab.base.errors import N_, NotFound, TooMany
from fedcollab.base.web import client, wants_document, words_of
from fedcollab.feature import CODES, page, viewer_of
from fedcollab.federation.kernel import KERNEL
from fedcollab.federation.rates import Buckets
from fedcollab.search.finding import Asked
from fedcollab.search.query import LONGEST

from . import service

SEARCHES = web.AppKey("searches", Buckets)
AT_ONCE, A_SECOND = 60, 1.0  # questions of one person, or of one address that has not signed in
VALUES, CODE = 20, 64  # of one filter at most; characters of one
KINDS = {
    "thread": N_("Conversations"),
    "post": N_("Answers"),
    "resource": N_("Resources"),
    "event": N_("Events"),
    "person": N_("People"),
    "organisation": N_("Organisations"),
    "group": N_("Groups"),
}
FILTERS = {
    "kind": N_("Kind"),
    "type": N_("Kind of resource"),
    "topic": N_("Topic"),
    "country": N_("Country"),
    "language": N_("Language"),
    "year": N_("Year"),
    "organisation": N_("Organisation"),
}
TOO_LONG = N_("A search has at most %(most)s characters. Ask with fewer words.")


def searches() -> Buckets:
    """How many questions each may still ask."""
    return Buckets(AT_ONCE, A_SECOND)


async def show_search(request: web.Request) -> web.Response:
    """What is found for the question in the address; without one, how to ask."""
    if wants_document(request):
        raise NotFound()
    viewer, kernel, typed = viewer_of(request), request.app[KERNEL], request.query.get("q", "").strip()
    chosen = _chosen(request)
    errors = {"q": words_of(request).text(TOO_LONG, most=LONGEST)} if len(typed) > LONGEST else {}
    asked = _asked("" if errors else typed, {} if errors else chosen, request.query.get("before", ""))
    if asked.q or asked.filtered:
        wait = request.app[SEARCHES].take(viewer.person_id or client(request), kernel.node.now())
        if wait:
            raise TooMany(retry_after=wait)
    looked = await kernel.database.read(service.look, viewer, asked, {name: values for name, values in chosen.items() if values})
    shown = dict(looked=looked, asked=asked, q=typed[:LONGEST], errors=errors, filters=FILTERS, filtered=any(chosen.values()))
    picked = {(name, value) for name, values in chosen.items() for value in values}
    shown |= dict(chosen=_taken_away(typed, chosen), picked=picked, clear=_address(typed, {}), name_of=_namer(request, looked))
    more = looked.found.next and _address(typed, chosen, before=looked.found.next)
    return page(request, "searching/search.html", status=422 if errors else 200, more=more, first=_address(typed, chosen), **shown)


def _chosen(request: web.Request) -> dict[str, list[str]]:
    """What each filter was set to, as far as it may be a code at all."""
    query = request.query
    given = {
        "kind": query.getall("kind", []),
        "type": query.getall("type", []),
        "topic": query.getall("topic", []),
        "country": query.getall("country", []),
        "language": query.getall("language", []),
        "year": query.getall("year", []),
        "organisation": query.getall("organisation", []),
    }
    return {name: [value for value in dict.fromkeys(values) if _is_code(value)][:VALUES] for name, values in given.items()}


def _is_code(value: str) -> bool:
    return 0 < len(value) <= CODE and value.isascii() and value.replace("-", "").isalnum()


def _asked(q: str, chosen: dict[str, list[str]], before: str) -> Asked:
    def of(name: str) -> tuple[str, ...]:
        return tuple(chosen.get(name, ()))

    years = tuple(int(year) for year in of("year") if year.isdigit() and len(year) <= 4)
    filters = dict(kinds=of("kind"), topics=of("topic"), countries=of("country"), languages=of("language"))
    return Asked(q, **filters, years=years, organisations=of("organisation"), types=of("type"), before=before)


def _address(q: str, chosen: dict[str, list[str]], **more: str) -> str:
    pairs = [("q", q), *((name, value) for name, values in chosen.items() for value in values), *more.items()]
    return "/search?" + urlencode([(name, value) for name, value in pairs if value])


def _taken_away(q: str, chosen: dict[str, list[str]]) -> list[tuple[str, str, str]]:
    """(filter, value, the address without it) of all that is chosen."""
    found = []
    for name, values in chosen.items():
        for value in values:
            rest = [other for other in values if other != value]
            found.append((name, value, _address(q, chosen | {name: rest})))
    return found


def _namer(request: web.Request, looked: service.Looked) -> Any:
    """What a filter's value is called in the reader's language."""
    words, codes = words_of(request), request.app[CODES]

    def name_of(filter_name: str, value: str) -> str:
        if filter_name == "organisation":
            return looked.organisations.get(value, "…")
        if filter_name == "language":
            return words.language_name(value)
        if filter_name == "country":
            return words.country_name(value)
        known = KINDS if filter_name == "kind" else codes
        return words.gettext(known[value]) if value in known else value

    return name_of
