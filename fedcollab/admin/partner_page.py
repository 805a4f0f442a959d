"""Decides what admins do on a partner's own page: compare words, accept keys, say what it may take part in, pause, vouch, end."""

import asyncio
from collections.abc import Callable

from aiohttp import web

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import BadRequest, Conflict, N_
from fedcollab.base.session import Session
from fedcollab.base.web import read_form, redirect, words_of
from fedcollab.feature import admin_of, page
from fedcollab.federation.kernel import KERNEL

from . import partners, permissions, trust
from .look import look
from .reasons import explained

Act = Callable[[Session, Node, Viewer | None, str], None]
TAKES_SHOWN: dict[str, Callable[[Session, Node, Viewer | None, str, str], None]] = {
    "check": trust.check,
    "accept-keys": trust.accept_keys,
    "recheck": trust.recheck,
}  # what an admin says of the keys that the page showed
ACTS: dict[str, Act] = {
    "pause": trust.pause,
    "resume": trust.resume,
    "vouch": trust.vouch,
    "unvouch": trust.unvouch,
    "block": partners.block,
    "unblock": partners.unblock,
}


async def show_partner(request: web.Request) -> web.Response:
    """One partner: its state, the words, its keys, who vouches for it, what it may take part in."""
    admin_of(request)
    return await _page(request)


async def _page(request: web.Request, status: int = 200, error: str = "") -> web.Response:
    kernel, words = request.app[KERNEL], words_of(request)
    found = await kernel.database.read(look, kernel.node, request.match_info["id"])
    return page(
        request,
        "admin/partner.html",
        status=status,
        look=found,
        p=found.partner,
        spoken=await asyncio.to_thread(found.spoken),
        permitted=permissions.PERMITTED,
        errors={"": error} if error else {},
        explained=lambda reason: explained(reason, words),
    )


async def change_partner(request: web.Request) -> web.Response:
    """Does what a button says, and leads back to the page that it stands on; a conflict is said on the partner's page."""
    viewer, fields, kernel = admin_of(request), await read_form(request), request.app[KERNEL]
    act, key = fields.get("act", ""), request.match_info["id"]
    write = kernel.database.write
    try:
        if act in TAKES_SHOWN:
            await write(TAKES_SHOWN[act], kernel.node, viewer, key, fields.get("shown", ""))
        elif act in ACTS:
            await write(ACTS[act], kernel.node, viewer, key)
        elif act == "allow":
            await write(permissions.allow, kernel.node, viewer, key, fields.getall("allow", []))
        elif act == "look":
            await trust.look(kernel, key)
        elif act in partners.STATES:
            await write(partners.change, kernel.node, viewer, key, partners.STATES[act])
        else:
            raise BadRequest(N_("Choose what to do with the partner."))
    except Conflict as error:
        return await _page(request, error.status, error.in_words(words_of(request)))
    return redirect(f"/admin/partners/{key}" if fields.get("from") == "page" else "/admin/partners")
