"""Decides how members write what they know of using a resource in a country, change it, and take it away."""

from typing import Any

from aiohttp import web

from fedcollab.access.viewer import Viewer
from fedcollab.base.called import country
from fedcollab.base.clock import new_id
from fedcollab.base.errors import FedcollabError, NotFound
from fedcollab.base.session import Session
from fedcollab.base.web import read_fields, read_form, redirect, words_of
from fedcollab.feature import came_back, member_of, page
from fedcollab.federation.kernel import KERNEL

from . import notes, reading
from .composing import shows

NOTHING = {"country": "", "text": ""}


async def add_note(request: web.Request) -> web.Response:
    """The form for a note on a resource, and sending it."""
    return await _form(request, "")


async def edit_note(request: web.Request) -> web.Response:
    """Changes a note of our organisation."""
    return await _form(request, request.match_info["id"])


async def _form(request: web.Request, note_id: str) -> web.Response:
    fields = await read_fields(request) if request.method == "POST" else None
    viewer, kernel = member_of(request), request.app[KERNEL]
    resource_id = "" if note_id else request.match_info["id"]
    shown, note = await kernel.database.read(_about, viewer, resource_id, note_id, kernel.node.now())
    values, errors, status = NOTHING, dict[str, str](), 200
    if note is not None:
        values = {"country": words_of(request).country_name(note.country), "text": note.source}
    if fields is not None:
        values = {name: fields.get(name, "") for name in NOTHING}
        try:
            if not came_back(request, fields):
                written = dict(country=country(values["country"]), text=values["text"])
                if note is not None:
                    await kernel.database.write(notes.edit, kernel.node, viewer, note_id, **written)
                else:
                    written |= dict(language=words_of(request).language, once=fields.get("once", ""))
                    await kernel.database.write(notes.add, kernel.node, viewer, resource_id, **written)
                return redirect(f"/library/{shown.row.id}#notes")
        except FedcollabError as error:
            errors, status = shows(error, request), error.status
    more: dict[str, Any] = dict(shown=shown, values=values, errors=errors, once=new_id(), changing=note is not None)
    return page(request, "resources/note.html", status=status, **more)


def _about(session: Session, viewer: Viewer, resource_id: str, note_id: str, now: int) -> tuple[reading.Shown, Any]:
    note = notes.own(session, viewer, note_id) if note_id else None
    return reading.shown(session, viewer, note.resource_id if note is not None else resource_id, now), note


async def delete_note(request: web.Request) -> web.Response:
    """Takes a note of our organisation away."""
    viewer, kernel, note_id = member_of(request), request.app[KERNEL], request.match_info["id"]
    await read_form(request)
    resource_id = await kernel.database.write(notes.delete, kernel.node, viewer, note_id)
    return redirect(f"/library/{resource_id}#notes")


async def remove_note(request: web.Request) -> web.Response:
    """Takes a partner's note on a resource of ours away, with a reason."""
    fields = await read_fields(request) if request.method == "POST" else None
    viewer, kernel, note_id = member_of(request), request.app[KERNEL], request.match_info["id"]
    if not viewer.moderates:
        raise NotFound()
    resource_id = await kernel.database.read(reading.resource_of_note, viewer, note_id)
    shown = await kernel.database.read(reading.shown, viewer, resource_id, kernel.node.now())
    note = next((one for one in shown.notes if one.id == note_id and one.removed is None), None)
    if note is None or not shown.ours:
        raise NotFound()
    reason, errors, status = "", dict[str, str](), 200
    if fields is not None:
        reason = fields.get("reason", "")
        try:
            if not came_back(request, fields):
                await kernel.database.write(notes.remove, kernel.node, viewer, note_id, reason=reason)
                return redirect(f"/library/{resource_id}#notes")
        except FedcollabError as error:
            errors, status = shows(error, request), error.status
    return page(request, "resources/remove_note.html", status=status, shown=shown, note=note, reason=reason, errors=errors)
