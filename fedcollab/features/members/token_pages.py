"""Decides how members make, see and revoke tokens for their own tools on a page; making one takes the password or a code."""

from typing import Any

from aiohttp import web

from fedcollab.base.errors import BadRequest, FedcollabError, N_, Refused
from fedcollab.base.web import read_form, redirect, words_of
from fedcollab.feature import member_of, page
from fedcollab.federation.kernel import KERNEL

from . import tokens
from .factor_pages import NOT_YOU, prove

LASTS = (30, tokens.DAYS, 180, tokens.MOST_DAYS)


async def show_tokens(request: web.Request) -> web.Response:
    """All tokens of somebody, and making one."""
    return await _page(request)


async def _page(request: web.Request, status: int = 200, **more: Any) -> web.Response:
    viewer, kernel = member_of(request), request.app[KERNEL]
    found = await kernel.database.read(tokens.listed, kernel.node, viewer.person_id)
    shown: dict[str, Any] = {"made": "", "errors": {}, "values": {"purpose": "", "days": tokens.DAYS, "scopes": [tokens.READ]}} | more
    outbox = kernel.node.settings.uri(f"/people/{viewer.person_id}/outbox")
    return page(request, "members/tokens.html", status=status, tokens=found, scopes=tokens.SCOPES, lasts=LASTS, outbox=outbox, **shown)


async def change_tokens(request: web.Request) -> web.Response:
    """Makes a token and shows it once, or revokes one."""
    viewer, kernel = member_of(request), request.app[KERNEL]
    fields = await read_form(request)
    if "revoke" in fields:
        await kernel.database.write(tokens.revoke, kernel.node, viewer, fields["revoke"], viewer.person_id)
        return redirect("/settings/tokens")
    days = fields.get("days", "")
    if not (days.isascii() and days.isdigit() and len(days) < 6):
        raise BadRequest(N_("Choose for how many days the token is good."))
    values: dict[str, Any] = {"purpose": fields.get("purpose", ""), "days": int(days), "scopes": fields.getall("scope", [])}
    try:
        await prove(request, fields)
        made = await kernel.database.write(tokens.create, kernel.node, viewer, viewer.person_id, **values)
    except FedcollabError as error:
        about = "proof" if error.text == NOT_YOU or not isinstance(error, Refused) else "purpose"
        return await _page(request, error.status, values=values, errors={about: error.in_words(words_of(request))})
    return await _page(request, made=made)
