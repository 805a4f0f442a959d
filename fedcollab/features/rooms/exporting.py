"""Decides what somebody takes along of a sealed group: what they can read of it, with its files where they want them."""

from aiohttp import web

from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.feature import member_of, read_grave_form
from fedcollab.sealing import bundle_making, bundle_sending
from fedcollab.sealing.bundle_sending import Begun, Named
from fedcollab.sealing.filed import THERE
from fedcollab.sealing.made_ready import Write

from . import attached, folding, places
from .folding import REMOVED, Item, Shown
from .opening import Here, Keys
from .pages import GROUP, show
from .units import here_of, looked

TAKEN_AWAY = "redacted"  # of what whoever leads has removed, as the file says it


async def show_export(request: web.Request) -> web.Response:
    """What is in such a file, what it proves, and what it does not protect."""
    return show(request, await here_of(request), "rooms/export.html", command="fedcollab verify group.jsonl")


async def export(request: web.Request) -> web.StreamResponse:
    """The file."""
    member_of(request)
    fields = await read_grave_form(request)
    begun: Begun = await looked(request, begin, fields.get("files") == "yes")
    return await bundle_sending.send(request, begun, "group.jsonl")


def begin(session: Session, node: Node, here: Here, _keys: Keys, with_files: bool = False) -> Write:
    """What goes into it, on record."""
    items, posts = _all(session, here)
    shown = places.unread(session, here.id) | {one.uri: one.unread for one in items}
    shown |= {uri: TAKEN_AWAY for post in posts if post.state == REMOVED for uri in (post.uri, *post.edits)}
    listed = [one for files in attached.beside(session, here, posts).values() for one in files] if with_files else []
    files = [Named(one.attached.uri, one.entry.uri) for one in listed if one.state == THERE]
    authors = {one.author for one in items if not shown[one.uri]}
    first = bundle_sending.first(node, here.opened, here.access, here.person)
    around = bundle_making.around(session, node, here.opened, authors)
    return lambda session: bundle_sending.begin(session, node, here.viewer, "sealed.export", here.opened, first, around, shown, files)


def _all(session: Session, here: Here) -> tuple[list[Item], list[Shown]]:
    """All messages that have been opened here, and the posts and resources among them as they stand."""
    items: list[Item] = []
    posts: list[Shown] = []
    for rows in places.everything(session, here.id).values():
        found = places.items(session, here.opened, rows)
        items += found
        posts += folding.posts([one for one in found if not folding.place(one.entry, one.uri)[1]], found, here.owners)
    return items, posts


ROUTES = (web.get(GROUP + "/export", show_export), web.post(GROUP + "/export", export))
