"""Decides how members keep reading lists: their page, a list's page, what is put in and taken out."""

from typing import Any

from aiohttp import web

from fedcollab.access.models import CLEAR, STRICT
from fedcollab.base.clock import new_id
from fedcollab.base.errors import BadRequest, FedcollabError
from fedcollab.base.web import read_fields, read_form, redirect
from fedcollab.feature import came_back, member_of, page, viewer_of
from fedcollab.federation.kernel import KERNEL

from . import lists
from .composing import ID, shows
from .views import CODES, today

LABELS = (CLEAR, STRICT)  # lists stay on this node, so none is for partners


async def show_lists(request: web.Request) -> web.Response:
    """All lists that somebody sees."""
    found = await request.app[KERNEL].database.read(lists.listed, viewer_of(request))
    return page(request, "resources/lists.html", lists=found)


async def new_list(request: web.Request) -> web.Response:
    """The form for a list, and making it; with a resource in it, where it comes from one's page."""
    fields = await read_fields(request) if request.method == "POST" else None
    viewer, kernel = member_of(request), request.app[KERNEL]
    values, errors, status = {"title": "", "summary": "", "label": STRICT}, dict[str, str](), 200
    resource_id = (request.query if fields is None else fields).get("resource", "")[:ID]
    if fields is not None:
        values = {name: fields.get(name, "") for name in values}
        try:
            if not came_back(request, fields):
                if values["label"] not in LABELS:
                    raise BadRequest()
                more = dict(once=fields.get("once", ""), resource_id=resource_id)
                made = await kernel.database.write(lists.add, kernel.node, viewer, **values, **more)
                return redirect(f"/library/lists/{made}")
        except FedcollabError as error:
            errors, status = shows(error, request), error.status
    shown: dict[str, Any] = dict(values=values, errors=errors, labels=LABELS, once=new_id(), resource_id=resource_id)
    return page(request, "resources/new_list.html", status=status, **shown)


async def show_list(request: web.Request) -> web.Response:
    """A list with those of its resources that somebody sees."""
    kernel = request.app[KERNEL]
    found = await kernel.database.read(lists.shown, viewer_of(request), request.match_info["id"])
    return page(request, "resources/list.html", found=found, today=today(kernel.node.now()), **CODES)


async def put(request: web.Request) -> web.Response:
    """Puts a resource into a list, from the resource's page; leads to the list."""
    viewer, kernel, fields = member_of(request), request.app[KERNEL], await read_form(request)
    chosen = fields.get("list", "")[:ID]
    await kernel.database.write(lists.put, kernel.node, viewer, chosen, request.match_info["id"])
    return redirect(f"/library/lists/{chosen}")


async def take(request: web.Request) -> web.Response:
    """Takes a resource out of a list."""
    viewer, kernel, list_id, fields = member_of(request), request.app[KERNEL], request.match_info["id"], await read_form(request)
    await kernel.database.write(lists.take, kernel.node, viewer, list_id, fields.get("resource", "")[:ID])
    return redirect(f"/library/lists/{list_id}")


async def delete(request: web.Request) -> web.Response:
    """Takes a list away."""
    viewer, kernel, list_id = member_of(request), request.app[KERNEL], request.match_info["id"]
    await read_form(request)
    await kernel.database.write(lists.delete, kernel.node, viewer, list_id)
    return redirect("/library/lists")
