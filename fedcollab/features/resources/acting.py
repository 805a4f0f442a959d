"""Decides how members act on a resource of ours: a new version, another audience, translations, withdrawing and deleting it."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from fedcollab.access import policy
from fedcollab.access.viewer import Viewer
from fedcollab.base.errors import FedcollabError
from fedcollab.base.web import read_fields, read_form, redirect
from fedcollab.feature import came_back, member_of, page
from fedcollab.federation.kernel import KERNEL

from . import reading, service, translations
from .composing import ID, shows
from .forms import Fields
from .views import CODES, LABELS

Act = Callable[[web.Request, Viewer, str, Fields], Awaitable[str]]


async def _page(request: web.Request, template: str, act: Act, names: tuple[str, ...]) -> web.Response:
    """A form about a resource of ours: shown, or done by `act`, which answers where to go on; what was typed into `names` stays."""
    fields = await read_fields(request) if request.method == "POST" else None
    viewer, kernel, resource_id = member_of(request), request.app[KERNEL], request.match_info["id"]
    await kernel.database.read(service.own, viewer, resource_id)
    shown = await kernel.database.read(reading.shown, viewer, resource_id, kernel.node.now())
    values, errors, status = dict.fromkeys(names, ""), dict[str, str](), 200
    if fields is not None:
        values = {name: fields.get(name, "") for name in names}
        try:
            if not came_back(request, fields):
                return redirect(await act(request, viewer, resource_id, fields))
        except FedcollabError as error:
            errors, status = shows(error, request), error.status
    file_id = values.get("file") or request.query.get("file", "")[:ID]
    file = await kernel.database.read(reading.uploaded, viewer, file_id) if file_id else None
    number = request.query.get("number", "")
    more: dict[str, Any] = dict(file=file, number=int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 0)
    return page(request, template, status=status, shown=shown, values=values, errors=errors, **_labels(viewer, shown.row), **more, **CODES)


def _labels(viewer: Viewer, row: Any) -> dict[str, Any]:
    """Those that the viewer may choose, and whether any lets more people see the record than now."""
    may = policy.may_widen(viewer, row.organisation_id, row.added_by_id)
    labels = [label for label in LABELS if may or not policy.is_wider(label, row.label)]
    return {"labels": labels, "widens": any(policy.is_wider(label, row.label) for label in labels)}


async def new_version(request: web.Request) -> web.Response:
    """A file or an address in the place of the one before."""
    return await _page(request, "resources/version.html", _new_version, ("link", "note", "file"))


async def _new_version(request: web.Request, viewer: Viewer, resource_id: str, fields: Fields) -> str:
    kernel, number = request.app[KERNEL], fields.get("number", "")
    given = dict(file_id=fields.get("file", "")[:ID], link=fields.get("link", ""), note=fields.get("note", ""))
    known = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 0
    await kernel.database.write(service.new_version, kernel.node, viewer, resource_id, **given, number=known)
    return f"/library/{resource_id}"


async def withdraw(request: web.Request) -> web.Response:
    """Withdraws a resource, or one of its older versions, with the reason."""
    return await _page(request, "resources/withdraw.html", _withdraw, ("reason",))


async def _withdraw(request: web.Request, viewer: Viewer, resource_id: str, fields: Fields) -> str:
    kernel, number = request.app[KERNEL], request.query.get("number", "")
    which = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 0
    await kernel.database.write(service.withdraw, kernel.node, viewer, resource_id, reason=fields.get("reason", ""), number=which)
    return f"/library/{resource_id}"


async def delete(request: web.Request) -> web.Response:
    """Says what deleting does and cannot do, then does it."""
    return await _page(request, "resources/delete.html", _delete, ())


async def _delete(request: web.Request, viewer: Viewer, resource_id: str, _fields: Fields) -> str:
    kernel = request.app[KERNEL]
    await kernel.database.write(service.delete, kernel.node, viewer, resource_id)
    return "/library"


async def relabel(request: web.Request) -> web.Response:
    """Gives a resource another audience."""
    return await _page(request, "resources/audience.html", _relabel, ("label", "reason"))


async def _relabel(request: web.Request, viewer: Viewer, resource_id: str, fields: Fields) -> str:
    kernel = request.app[KERNEL]
    said = (resource_id, fields.get("label", ""))
    await kernel.database.write(service.relabel, kernel.node, viewer, *said, reason=fields.get("reason", ""))
    return f"/library/{resource_id}"


async def translate(request: web.Request) -> web.Response:
    """Names another resource as the same thing in another language."""
    return await _page(request, "resources/translations.html", _translate, ("address",))


async def _translate(request: web.Request, viewer: Viewer, resource_id: str, fields: Fields) -> str:
    kernel = request.app[KERNEL]
    await kernel.database.write(translations.link, kernel.node, viewer, resource_id, fields.get("address", ""))
    return f"/library/{resource_id}/translations"


async def untranslate(request: web.Request) -> web.Response:
    """Takes that back."""
    viewer, kernel, resource_id, fields = member_of(request), request.app[KERNEL], request.match_info["id"], await read_form(request)
    await kernel.database.write(translations.unlink, kernel.node, viewer, resource_id, fields.get("other", "")[:ID])
    return redirect(f"/library/{resource_id}/translations")
