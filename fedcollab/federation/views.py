"""Decides what other nodes may ask: inboxes and documents for partners; the Organization, WebFinger and NodeInfo for anybody."""

from functools import cache
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from fedcollab import __version__
from fedcollab.access import policy
from fedcollab.access.viewer import ANYBODY, Viewer, partner
from fedcollab.actors import service as actors
from fedcollab.actors.models import GROUP, ORGANIZATION, PERSON, Actor
from fedcollab.base.crash import reach
from fedcollab.base.database import to_json
from fedcollab.base.errors import BadRequest, N_, NotFound, TooLarge, TooMany, Unauthorized
from fedcollab.base.http import is_activity
from fedcollab.base.session import Session
from fedcollab.base.strictjson import MAX_BYTES, loads
from fedcollab.base.web import wants_document

from . import activitystreams as ap
from . import forwarding, inbox, no_room, partners, profiles, streams
from .authenticate import authenticate
from .kernel import KERNEL


async def post_inbox(request: web.Request) -> web.Response:
    """Verify, store once, 202; processing comes after. 401 unsigned or badly signed, 403 a stranger, 400 a wrong shape."""
    kernel = request.app[KERNEL]
    body = await request.read()
    if len(body) > MAX_BYTES:
        raise TooLarge()
    found = await authenticate(kernel, request, body)
    if wait := kernel.inboxes.take(found.partner.host, kernel.node.now()):
        raise TooMany(reason="a partner sends faster than its share", retry_after=wait)
    if not is_activity(request.headers.get("Content-Type", "")):
        raise BadRequest(N_("Send activities as application/activity+json."), reason="another media type")
    kernel.node.room.need_for_partners()
    activity = inbox.check(loads(body), found.actor)
    if activity["actor"] != found.actor.uri:
        await forwarding.check_origin(kernel.database, activity)
    if found.partner.next_try_at > kernel.node.now():
        await kernel.database.write(partners.speaks, found.partner, kernel.node.now())
    row = inbox.row(kernel.node, found.actor, activity, streams.parse(found.header(streams.HEADER)))
    await no_room.check(kernel, row)
    await kernel.intake.store(kernel.database, row)
    reach("acknowledge.before")
    return web.Response(status=202)


def document_answer(document: object, status: int = 200) -> web.Response:
    """A document in ActivityPub's media type."""
    return web.Response(text=to_json(document), status=status, content_type=ap.MEDIA_TYPE)


async def partner_viewer(request: web.Request) -> Viewer:
    """The partner that asks by signed GET; one without an organisation, who sees what is public, where a server outside does and may.
    Raises Unauthorized or Forbidden: nothing else is readable unsigned."""
    found = await authenticate(request.app[KERNEL], request, b"")
    return partner(found.partner.organisation_id)


async def get_organisation(request: web.Request) -> web.Response:
    """Our Organization's document, readable by anybody: without it two nodes could never meet."""
    kernel = request.app[KERNEL]
    if not wants_document(request):
        raise web.HTTPSeeOther("/")

    def read(session: Session) -> dict[str, Any] | None:
        return profiles.stored_document(session, actors.own(session, kernel.node).id)

    return document_answer(await kernel.database.read(read))


async def get_list(request: web.Request) -> web.Response:
    """Our Organization's outbox, followers and following: other software wants them to resolve. They say nothing, not even a number:
    it publishes in its groups, and who is in touch with whom is nobody's business."""
    uri = request.app[KERNEL].node.actor_uri + "/" + request.path.rsplit("/", 1)[-1]
    return document_answer({"@context": ap.AS2, "id": uri, "type": "OrderedCollection"})


async def get_person(request: web.Request) -> web.Response:
    """One of our people's documents, for partners; for servers outside only of who has said something public."""
    viewer, person_id = await partner_viewer(request), request.match_info["id"]
    if not viewer.organisation_id and not await request.app[KERNEL].database.read(policy.speaks_publicly, person_id):
        raise NotFound()
    return await own_document(request, f"/people/{person_id}", PERSON)


async def own_document(request: web.Request, path: str, kind: str) -> web.Response:
    """The stored document of an actor of ours. Raises NotFound."""
    kernel = request.app[KERNEL]
    rows = await kernel.database.look(_document(), {"uri": kernel.node.settings.uri(path), "kind": kind})
    if not rows or not rows[0][0]:
        raise NotFound()
    return web.Response(text=str(rows[0][0]), content_type=ap.MEDIA_TYPE)


@cache
def _document() -> sa.Select[Any]:
    """An actor's document as a text, by its id and kind."""
    query = sa.select(sa.cast(Actor.document, sa.Text)).where(Actor.uri == sa.bindparam("uri"), Actor.kind == sa.bindparam("kind"))
    return query.where(Actor.disabled_at.is_(None), Actor.works_for == "", Actor.document.is_not(None))  # a guest's goes to their case


async def get_webfinger(request: web.Request) -> web.Response:
    """Our Organization by its handle or the node's base address, to anybody; people and groups to partners alone (RFC 7033). Where servers
    outside are let in, what is public to anybody too: other software asks unsigned."""
    kernel, resource = request.app[KERNEL], request.query.get("resource", "")
    node = kernel.node
    bases = (node.settings.base_url, node.settings.base_url + "/", node.actor_uri)
    name = (
        resource.removeprefix("acct:").removesuffix("@" + node.host)
        if resource.startswith("acct:") and resource.endswith("@" + node.host)
        else None
    )
    if resource not in bases and name is None:
        raise NotFound()

    def read(session: Session) -> actors.ActorData | None:
        return actors.own(session, node) if name is None else actors.by_username(session, node, name)

    found = await kernel.database.read(read)
    if found is None or found.kind != ORGANIZATION:
        unsigned = "Signature" not in request.headers
        if unsigned and not node.settings.outside_servers:
            raise Unauthorized(reason="WebFinger of a person or group, unsigned")
        viewer = ANYBODY if unsigned else await partner_viewer(request)
        if found is not None and found.kind == GROUP and not await kernel.database.read(policy.knows_group, viewer, found.id):
            found = None
        elif found is not None and not viewer.organisation_id and found.kind == PERSON:
            found = found if await kernel.database.read(policy.speaks_publicly, found.id) else None
    if found is None or found.disabled_at is not None or found.works_for:
        raise NotFound()
    links = [{"rel": "self", "type": ap.MEDIA_TYPE, "href": found.uri}]
    return web.json_response(
        {"subject": f"acct:{found.username}@{node.host}", "aliases": [found.uri], "links": links}, content_type="application/jrd+json"
    )


async def get_nodeinfo_links(request: web.Request) -> web.Response:
    href = request.app[KERNEL].node.settings.uri("/nodeinfo/2.1")
    return web.json_response({"links": [{"rel": "http://nodeinfo.diaspora.software/ns/schema/2.1", "href": href}]})


async def get_nodeinfo(request: web.Request) -> web.Response:
    """NodeInfo 2.1 without figures: how many people work here is nobody's business."""
    return web.json_response(
        {
            "version": "2.1",
            "software": {"name": "fedcollab", "version": __version__},
            "protocols": ["activitypub"],
            "services": {"inbound": [], "outbound": []},
            "openRegistrations": False,
            "usage": {"users": {}},
            "metadata": {"protocol": ap.PROTOCOL},
        }
    )


ROUTES = (
    web.post("/inbox", post_inbox),
    web.post("/actor/inbox", post_inbox),
    web.post("/people/{id}/inbox", post_inbox),
    web.post("/groups/{id}/inbox", post_inbox),
    web.get("/actor", get_organisation),
    *(web.get("/actor/" + name, get_list) for name in profiles.LISTS),
    web.get("/.well-known/webfinger", get_webfinger),
    web.get("/.well-known/nodeinfo", get_nodeinfo_links),
    web.get("/nodeinfo/2.1", get_nodeinfo),
)
