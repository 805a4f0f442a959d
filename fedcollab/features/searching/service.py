"""Decides what one look for something reads: what is found, whose it is, and names that may have been meant where nothing is found."""

from dataclasses import dataclass

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import Actor
from fedcollab.base.session import Session
from fedcollab.search.finding import Asked, Found, Suggestion, find, suggest

MOST = 12  # values of a filter that are offered


@dataclass(frozen=True)
class Looked:
    """What was found. `offered` are the values of each filter with their numbers, those chosen among them, most first; `organisations`
    the names of those that stand there."""

    found: Found
    offered: dict[str, list[tuple[str, int]]]
    organisations: dict[str, str]
    suggestions: tuple[Suggestion, ...] = ()


def look(session: Session, viewer: Viewer, asked: Asked, chosen: dict[str, list[str]]) -> Looked:
    """One page for one question; `chosen` are its filters as the page names them."""
    found = find(session, viewer, asked)
    offered = {name: _offered(found, name, chosen.get(name, [])) for name in (found.facets or {}) | chosen}
    organisations = _organisations(session, found, [code for code, _ in offered.get("organisation", [])])
    meant = suggest(session, viewer, asked.q) if not found.count and asked.q.strip() else ()
    return Looked(found, offered, organisations, meant)


def _offered(found: Found, name: str, chosen: list[str]) -> list[tuple[str, int]]:
    """The most frequent values; the chosen ones stay, so that they can be taken away again."""
    counted = dict((found.facets or {}).get(name, ()))
    values = dict.fromkeys([*list(counted)[:MOST], *chosen])
    return [(value, counted.get(value, 0)) for value in values]


def _organisations(session: Session, found: Found, asked: list[str]) -> dict[str, str]:
    """Names of organisations of which something was found: of others nothing is said."""
    seen = {code for code, _ in (found.facets or {}).get("organisation", ())} & set(asked)
    rows = session.execute(sa.select(Actor.id, Actor.name).where(Actor.id.in_(seen)))
    return {row.id: row.name for row in rows}
