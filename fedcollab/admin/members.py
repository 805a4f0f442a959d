"""Decides what admins do with members on pages: inviting, roles, one-time links, disabling in one action."""

from typing import Any

from aiohttp import web

from fedcollab.access.viewer import GIVEN, MEMBER
from fedcollab.base.errors import NotFound, Refused
from fedcollab.base.qr import qr
from fedcollab.base.web import read_form, redirect, words_of
from fedcollab.feature import admin_of, page, read_grave_form
from fedcollab.features.members import service
from fedcollab.federation.kernel import KERNEL


async def members(request: web.Request) -> web.Response:
    """All members, and inviting more."""
    admin_of(request)
    return await _page(request)


async def _page(request: web.Request, status: int = 200, **made: Any) -> web.Response:
    found = await request.app[KERNEL].database.read(service.listed)
    shown: dict[str, Any] = {"link": "", "qr": "", "for_whom": "", "errors": {}} | made
    return page(request, "admin/members.html", status=status, members=found, all_roles=GIVEN, usual=MEMBER, **shown)


async def _refused(request: web.Request, error: Refused, where: str) -> web.Response:
    """The page again, with what to do, beside the member or form it is about."""
    return await _page(request, status=error.status, errors={where: error.in_words(words_of(request))})


async def invite(request: web.Request) -> web.Response:
    """Makes an invitation link and shows it once, with its QR code."""
    viewer, fields, kernel = admin_of(request), await read_grave_form(request), request.app[KERNEL]
    try:
        token = await kernel.database.write(service.invite, kernel.node, viewer, fields.getall("role", []))
    except Refused as error:
        return await _refused(request, error, "invite")
    link = kernel.node.settings.uri(f"/join/{token}")
    return await _page(request, link=link, qr=qr(link))


async def make_link(request: web.Request) -> web.Response:
    """Makes a one-time link for somebody who has forgotten their password, and shows it once."""
    viewer, kernel = admin_of(request), request.app[KERNEL]
    await read_grave_form(request)
    token = await kernel.database.write(service.make_link, kernel.node, viewer, request.match_info["id"])
    person = await kernel.database.read(service.find, request.match_info["id"])
    return await _page(request, link=kernel.node.settings.uri(f"/link/{token}"), for_whom=person.name)


async def ask_reset(request: web.Request) -> web.Response:
    """Says what resetting somebody's second factor means, before it is done."""
    admin_of(request)
    person = await request.app[KERNEL].database.read(service.find, request.match_info["id"])
    if not person.second_factor:
        raise NotFound()
    return page(request, "admin/reset_factor.html", person=person)


async def reset_factor(request: web.Request) -> web.Response:
    """Takes a member's second factor away, for a phone that is lost with all recovery codes."""
    viewer, kernel, person_id = admin_of(request), request.app[KERNEL], request.match_info["id"]
    await read_grave_form(request)
    try:
        await kernel.database.write(service.reset_factor, kernel.node, viewer, person_id)
    except Refused as error:
        return await _refused(request, error, f"m-{person_id}")
    return redirect(f"/admin/members#m-{person_id}")


async def set_roles(request: web.Request) -> web.Response:
    """Gives a member other roles."""
    viewer, fields, kernel, person_id = admin_of(request), await read_grave_form(request), request.app[KERNEL], request.match_info["id"]
    try:
        await kernel.database.write(service.set_roles, kernel.node, viewer, person_id, fields.getall("role", []))
    except Refused as error:
        return await _refused(request, error, f"m-{person_id}")
    return redirect(f"/admin/members#m-{person_id}")


async def disable(request: web.Request) -> web.Response:
    """Ends an account in one action, which never waits: nobody is asked again."""
    viewer, kernel, person_id = admin_of(request), request.app[KERNEL], request.match_info["id"]
    await read_form(request)
    try:
        await kernel.database.write(service.disable, kernel.node, viewer, person_id)
    except Refused as error:
        return await _refused(request, error, f"m-{person_id}")
    return redirect(f"/admin/members#m-{person_id}")
