"""Decides what members see of an import: the form, the preview of what would happen, the report, the text for correction."""

import asyncio
from typing import Any

from aiohttp import web
from multidict import MultiDictProxy

from fedcollab.base.errors import BadRequest, FedcollabError, N_, Refused, TooLarge, Unauthorized
from fedcollab.base.gate import LARGE_BODIES
from fedcollab.base.small_file import MULTIPART, SmallFile, read_fields_with_file
from fedcollab.base.web import FORM_BYTES, TYPED, read_fields, read_form, redirect, stream, typed_into, words_of
from fedcollab.feature import came_back, member_of, page, viewer_of
from fedcollab.features.resources import shelves
from fedcollab.federation.kernel import KERNEL

from . import formats, importing, known, table
from .models import ADDED, BROKEN, DONE, FAILED, KNOWN, NEW, RUNNING

TURNS = web.AppKey("turns", asyncio.Semaphore)  # files are read one at a time: each may take a core for seconds
AT_ONCE = 20.0  # seconds that a page works at an import before it answers
TEXT_SHOWN = 400_000  # characters that a page offers for correction
KEPT = ("format", "label", "publisher", "text")  # what the form shows again
STATES = {
    NEW: N_("New"),
    KNOWN: N_("Here already"),
    BROKEN: N_("Cannot be read"),
    ADDED: N_("Added to the library"),
    FAILED: N_("Could not be added"),
}
NOT_CHOSEN = N_("Not imported")
SAME = N_("The same as line %(line)s")
COLUMNS = (N_("Line"), N_("Title"), N_("What became of it"), N_("Address"), N_("Remarks"))


async def show_imports(request: web.Request) -> web.Response:
    """The form, and the imports that somebody has begun."""
    return await _form(request, {}, {})


async def _form(request: web.Request, values: dict[str, str], errors: dict[str, str], status: int = 200) -> web.Response:
    viewer, kernel = member_of(request), request.app[KERNEL]
    found = await kernel.database.read(importing.listed, viewer)
    shown = {"text": "", "format": "", "label": "TLP:GREEN", "publisher": ""} | values
    more = dict(values=shown, errors=errors, imports=found, formats=formats.FORMATS, labels=shelves.LABELS)
    return page(request, "resources/exchange/import.html", status=status, **more)


@stream
async def begin_import(request: web.Request) -> web.Response:
    """Takes a file or a pasted text, keeps it, reads it and leads to the preview. Who is signed out takes what was pasted along."""
    fields, file = await _read(request)
    viewer, kernel, kept = member_of(request), request.app[KERNEL], {name: fields.get(name, "") for name in KEPT}
    try:
        if came_back(request, fields):
            return await _form(request, kept, {})
        text, guessed = await asyncio.to_thread(_text, fields, file)
        code = fields.get("format", "") or formats.guess(text, file.name)
        if code not in formats.FORMATS:
            raise Refused(N_("What format this is cannot be told from the text. Choose it below."))
        about = dict(name=file.name, label=fields.get("label", ""), publisher=fields.get("publisher", ""))
        import_id = await kernel.database.write(importing.begin, kernel.node, viewer, text=text, code=code, guessed=guessed, **about)
    except FedcollabError as error:
        field = "file" if file.name else "text"
        return await _form(request, kept, {field: error.in_words(words_of(request))}, error.status)
    return await _read_text(request, import_id, text, code)


async def _read(request: web.Request) -> tuple["MultiDictProxy[str]", SmallFile]:
    try:
        if request.content_type != MULTIPART:
            return await read_fields(request), SmallFile()
        if viewer_of(request).signed_in:
            return await read_fields_with_file(request, "file", formats.BYTES)
        return await _pasted(request), SmallFile()
    except TooLarge:
        raise formats.BIG from None


async def _pasted(request: web.Request) -> "MultiDictProxy[str]":
    """What somebody pasted who is signed out: few strangers at a time make us read, and little. Raises Unauthorized for more."""
    if request.content_length is None or request.content_length > FORM_BYTES:
        raise Unauthorized()
    async with request.app[LARGE_BODIES]:
        fields, _ = await read_fields_with_file(request, "file", 0)
    request[TYPED] = typed_into(fields)
    return fields


def _text(fields: "MultiDictProxy[str]", file: SmallFile) -> tuple[str, bool]:
    """Raises TooLarge, Refused where there is nothing."""
    text, guessed = formats.text_of(file.data) if file.data else (fields.get("text", "").replace("\r\n", "\n"), False)
    if not text.strip():
        raise Refused(N_("Choose a file, or paste a text."))
    return text, guessed


async def _read_text(request: web.Request, import_id: str, text: str, code: str) -> web.Response:
    """Reads a text that is kept already, and leads to the preview; where there is nothing to read in it, to its correction."""
    viewer, kernel = member_of(request), request.app[KERNEL]
    try:
        async with request.app[TURNS]:
            rows = await asyncio.to_thread(formats.rows, text, code)
    except BadRequest:
        return redirect(f"/library/import/{import_id}/text")
    there = await known.find(kernel.database, viewer, await asyncio.to_thread(importing.wanted, rows))
    stored = await asyncio.to_thread(importing.stored, rows, there)
    for at in range(0, len(stored), importing.A_PART):
        some = stored[at : at + importing.A_PART]
        last = at + importing.A_PART >= len(stored)
        await kernel.database.write(importing.put_rows, kernel.node, viewer, import_id, some, last=last)
    return redirect(f"/library/import/{import_id}")


async def show_import(request: web.Request) -> web.Response:
    """The preview, or how far it is, or the report: whichever it has come to."""
    return await _shown(request, {})


async def _shown(request: web.Request, errors: dict[str, str], status: int = 200) -> web.Response:
    viewer, kernel = member_of(request), request.app[KERNEL]
    found = await kernel.database.read(importing.shown, viewer, request.match_info["id"], _number(request.query.get("page", "")))
    if found.row.state == "reading":
        return redirect(f"/library/import/{found.row.id}/text")
    ends = found.row.state in (RUNNING, DONE)
    more = dict(found=found, states=STATES, errors=errors, format=formats.FORMATS[found.row.format].name, ends=ends, not_chosen=NOT_CHOSEN)
    return page(request, "resources/exchange/rows.html", status=status, **more)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1


async def change_import(request: web.Request) -> web.Response:
    """Keeps what was chosen on a page, and goes where its button says: another page, the import, away."""
    viewer, kernel, import_id = member_of(request), request.app[KERNEL], request.match_info["id"]
    fields, database = await read_form(request), kernel.database
    act, number = fields.get("act", ""), _number(fields.get("page", ""))
    here = f"/library/import/{import_id}"
    try:
        if act == "delete":
            await database.write(importing.delete, viewer, import_id)
            return redirect("/library/import")
        if act != "go":
            chosen = frozenset(_number(one) for one in fields.getall("row", []))
            await database.write(importing.choose, kernel.node, viewer, import_id, number, chosen)
        if act.startswith("page"):
            return redirect(f"{here}?page={_number(act[4:])}")
        await database.write(importing.start, kernel.node, viewer, import_id)
    except Refused as error:
        if error.status != 422:
            raise
        return await _shown(request, {"": error.in_words(words_of(request))}, error.status)
    await _run(request, import_id)
    return redirect(here)


async def _run(request: web.Request, import_id: str) -> None:
    """Units one after the other, so long as somebody waits for a page; what is left then goes on by itself or by the page's button."""
    kernel, loop = request.app[KERNEL], asyncio.get_running_loop()
    end = loop.time() + AT_ONCE
    while await kernel.database.write(importing.run, kernel.node, import_id) and loop.time() < end:
        pass


async def correct_text(request: web.Request) -> web.Response:
    """The text as it came, to be corrected, or read in another format."""
    viewer, kernel, import_id = member_of(request), request.app[KERNEL], request.match_info["id"]
    row = await kernel.database.read(importing.own, viewer, import_id)
    errors: dict[str, str] = {}
    text = await kernel.database.read(importing.text_of, viewer, import_id)
    if request.method == "POST":
        fields = await read_form(request)
        code = fields.get("format", "")
        corrected = fields["text"].replace("\r\n", "\n") if fields.get("text", "").strip() else None
        text = text if corrected is None else corrected
        if code in formats.FORMATS:
            await kernel.database.write(importing.again, kernel.node, viewer, import_id, text=corrected, code=code)
            return await _read_text(request, import_id, text, code)
        errors = {"format": words_of(request).gettext(N_("Choose the format."))}
    shown = text if len(text) <= TEXT_SHOWN else None
    if row.state == "reading" and not errors:
        errors = {
            "": words_of(request).gettext(
                N_("There is no entry in this file, or it is in another format. Choose the format and try again.")
            )
        }
    more = dict(row=row, text=shown, errors=errors, formats=formats.FORMATS)
    return page(request, "resources/exchange/text.html", status=422 if request.method == "POST" else 200, **more)


async def get_file(request: web.Request) -> web.Response:
    """The text as it came, as a file."""
    viewer, kernel, import_id = member_of(request), request.app[KERNEL], request.match_info["id"]
    row = await kernel.database.read(importing.own, viewer, import_id)
    text = await kernel.database.read(importing.text_of, viewer, import_id)
    name = f'attachment; filename="import.{formats.FORMATS[row.format].extension}"'
    return web.Response(text=text, content_type="text/plain", charset="utf-8", headers={"Content-Disposition": name})


async def get_report(request: web.Request) -> web.StreamResponse:
    """What became of each entry, as a table."""
    viewer, kernel, import_id = member_of(request), request.app[KERNEL], request.match_info["id"]
    row = await kernel.database.read(importing.own, viewer, import_id)
    answer = web.StreamResponse(
        headers={"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": 'attachment; filename="import.csv"'}
    )
    await answer.prepare(request)
    words, after, ends = words_of(request), 0, row.state in (RUNNING, DONE)
    await answer.write(("\ufeff" + table.line([words.gettext(name) for name in COLUMNS])).encode())
    while found := await kernel.database.read(importing.report, viewer, import_id, after):
        lines = [table.line(_reported(request, one, ends=ends)) for one in found]
        await answer.write("".join(lines).encode("utf-8", "replace"))
        after = found[-1].number
    await answer.write_eof()
    return answer


def _reported(request: web.Request, row: Any, *, ends: bool) -> list[str]:
    words, settings = words_of(request), request.app[KERNEL].node.settings
    state = NOT_CHOSEN if ends and row.state == NEW else STATES[row.state]
    notes = [words.gettext(text) % values for text, values in [*([row.reason] if row.reason else []), *row.notes]]
    address = settings.uri(f"/library/{row.resource_id}") if row.resource_id else ""
    return [str(row.line), row.record["title"] if row.record else "", words.gettext(state), address, " ".join(notes)]


ROUTES = (
    web.get("/library/import", show_imports),
    web.post("/library/import", begin_import),
    web.get("/library/import/{id}", show_import),
    web.post("/library/import/{id}", change_import),
    web.get("/library/import/{id}/text", correct_text),
    web.post("/library/import/{id}/text", correct_text),
    web.get("/library/import/{id}/file", get_file),
    web.get("/library/import/{id}/report.csv", get_report),
)
