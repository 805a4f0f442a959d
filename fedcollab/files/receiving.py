"""Decides what addresses take files: a form of any browser, and for script an upload that goes on where it broke off (in the spirit of
the IETF's draft on resumable uploads)."""

import asyncio
import warnings
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass

from aiohttp import BadContentDispositionHeader, BadContentDispositionParam, BodyPartReader, MultipartReader, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from multidict import MultiDict, MultiDictProxy

from fedcollab.access.viewer import ANYBODY, VIEWER, Viewer
from fedcollab.base.errors import BadRequest, Conflict, FedcollabError, N_, TooLarge, Unauthorized
from fedcollab.base.web import TOO_MUCH, Handler, check_token, local, read_fields, read_form, redirect, stream, words_of
from fedcollab.federation.kernel import KERNEL

from . import pace, quotas, uploading
from .lastpart import LastPart, boundary
from .service import FileData
from .shelves import SHELVES, Hand
from .uploading import UploadData

OFFSET, LENGTH, COMPLETE, TOKEN = "Upload-Offset", "Upload-Length", "Upload-Complete", "X-Form-Token"
PARTIAL = "application/partial-upload"
FORM_MORE, FIELDS, SHORT = 65_536, 50, 200  # bytes of a form beside its file, its fields, bytes of its token
DRAINED, DRAIN_TIME = 32 * 1024 * 1024, 30.0  # bytes, seconds in which a body that comes in vain is read nevertheless: its sender hears why
for warning in (BadContentDispositionHeader, BadContentDispositionParam):  # they would print what a stranger has sent
    warnings.filterwarnings("ignore", category=warning)
NO_FILE = N_("Choose a file first.")


def sender(request: web.Request) -> Viewer:
    """The member who sends. Raises Unauthorized."""
    viewer: Viewer = request.get(VIEWER, ANYBODY)
    if not viewer.signed_in:
        raise Unauthorized()
    return viewer


def for_script(handler: Handler) -> Handler:
    """Answers errors as JSON, in the reader's language: our script shows them where the form is."""

    async def answered(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except FedcollabError as error:
            text = TOO_MUCH if error.text == TooLarge.text else error.in_words(words_of(request))
            headers = {"Retry-After": str(error.retry_after)} if error.retry_after is not None else {}
            return web.json_response({"error": text}, status=error.status, headers={**headers, **error.headers})

    return stream(answered)


def heard(handler: Handler) -> Handler:
    """Reads what still comes of a body before a refusal is answered: a web server in front may close on a sender that is not done, and our
    words would be lost with the connection. Not for strangers, nor for who has fallen silent."""

    async def drained(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except uploading.Cut:
            raise
        except FedcollabError:
            if request.get(VIEWER, ANYBODY).signed_in:
                await drain(request)
            raise

    return drained


@stream
@heard
async def post_form(request: web.Request) -> web.StreamResponse:
    """A form with one file, its token in the first field: 303 to `next`, with the file's id in `file`."""
    viewer, shelves, kernel = sender(request), request.app[SHELVES], request.app[KERNEL]
    kernel.node.room.need()
    most = quotas.limit(kernel.node.settings)
    announced = (
        most if request.content_length is None else max(request.content_length, 1)
    )  # of which nothing is said may be as large as any
    if announced > most + FORM_MORE:
        raise quotas.too_large(kernel.node.settings)
    async with uploading.sending(shelves, viewer):
        part, name = await _file_part(request)
        begun = await kernel.database.write(uploading.begin, kernel.node, viewer, name=name, size=min(announced, most))
        async with uploading.in_hand(kernel, shelves, viewer, begun.id, request.transport) as (hand, upload):
            if hand is None or hand.growing is None or not isinstance(upload, UploadData):
                raise Conflict()
            try:
                found: FileData | None = await uploading.receive(kernel, shelves, viewer, upload, hand.growing, part.read, whole=True)
            except BaseException:
                await uploading.drop(kernel, shelves, [upload])  # nobody could go on with it
                raise
    if found is None:
        raise Conflict()
    path = local(request.query.get("next", "/"))
    return redirect(f"{path}{'&' if '?' in path else '?'}file={found.id}")


async def _file_part(request: web.Request) -> tuple[LastPart, str]:
    """The part with the file and its name, once the token before it has been found good. Raises BadRequest, Forbidden."""
    if request.content_type != "multipart/form-data":
        await _small_form(request)
        raise BadRequest(N_("The form has to be sent with its file."))
    divider = boundary(request.headers[hdrs.CONTENT_TYPE])
    try:
        reader = await request.multipart()
        async with asyncio.timeout(pace.SILENCE):
            first = await _next(reader)
            token = await _short(first) if first is not None and first.name == "token" else ""
            check_token(request, token)
            while (part := await _next(reader)) is not None:
                if part.filename:
                    return LastPart(request.content, divider), part.filename
    except (ValueError, AssertionError, HttpProcessingError, *uploading.CUT) as error:
        raise BadRequest(reason=f"a form that can't be read: {type(error).__name__}") from None
    raise BadRequest(NO_FILE)


@dataclass
class Sent:
    """A form of which the file comes last: its fields, not yet checked, and the file, which is still to be read; None where none came."""

    fields: MultiDict[str]
    part: LastPart | None = None
    name: str = ""


async def form_with_file(request: web.Request) -> Sent:
    """The fields of a form of at most 64 kB and 50 fields, up to its file. Whether it is from a page of ours is to be looked at after this
    (`check_token`): only so can people be shown what they typed. Raises BadRequest, TooLarge."""
    if request.content_type != "multipart/form-data":
        fields = await read_fields(request)
        return Sent(MultiDict(fields.items()))
    divider, sent, left = boundary(request.headers[hdrs.CONTENT_TYPE]), Sent(MultiDict()), FORM_MORE
    try:
        reader = await request.multipart()
        async with asyncio.timeout(pace.SILENCE):
            while (part := await _next(reader)) is not None:
                if part.filename:
                    return Sent(sent.fields, LastPart(request.content, divider), part.filename)
                text = await _text(part, left)
                left -= len(text)
                if part.name and len(sent.fields) < FIELDS:
                    sent.fields.add(part.name, text.decode("utf-8", "replace").replace("\0", ""))
    except (ValueError, AssertionError, HttpProcessingError, *uploading.CUT) as error:
        raise BadRequest(reason=f"a form that can't be read: {type(error).__name__}") from None
    return sent


async def _text(part: BodyPartReader, most: int) -> bytes:
    """A field of a form. Raises TooLarge."""
    text = b""
    while not part.at_eof():
        text += await part.read_chunk(8192)
        if len(text) > most:
            raise TooLarge()
    return text


async def _short(part: BodyPartReader) -> str:
    """A field of a form, however it comes in pieces; of a longer one its beginning."""
    text = b""
    while not part.at_eof() and len(text) < SHORT:
        text += await part.read_chunk(SHORT)
    return text.decode("ascii", "replace")


async def _small_form(request: web.Request) -> "MultiDictProxy[str]":
    """A form without a file, within the time that a file may say nothing. Raises BadRequest."""
    try:
        async with asyncio.timeout(pace.SILENCE):
            return await read_form(request)
    except TimeoutError:
        late = BadRequest(reason="a form that came too slowly")
        late.status = 408
        raise late from None


async def _next(reader: MultipartReader) -> BodyPartReader | None:
    part = await reader.next()
    if part is not None and not isinstance(part, BodyPartReader):
        raise BadRequest(reason="a form inside a form")
    return part


@for_script
async def begin(request: web.Request) -> web.StreamResponse:
    """Begins an upload: fields `name` and `size` (bytes), and the form's token. 201 with where it goes on."""
    viewer, kernel = sender(request), request.app[KERNEL]
    if (request.content_length or 0) > FORM_MORE:
        raise BadRequest()
    fields = await _small_form(request)
    size = fields.get("size", "")
    if not (size.isascii() and size.isdigit() and len(size) < 16):
        raise BadRequest(reason="an upload of no size")
    made = await kernel.database.write(uploading.begin, kernel.node, viewer, name=fields.get("name", ""), size=int(size))
    return web.json_response({"id": made.id}, status=201, headers={"Location": f"/uploads/{made.id}", **_progress(0, made.size)})


@for_script
async def look(request: web.Request) -> web.StreamResponse:
    """How far an upload is: what comes over another connection ends."""
    async with _in_hand(request) as (_, found):
        return _said(request, found)


@for_script
@heard
async def go_on(request: web.Request) -> web.StreamResponse:
    """The next bytes, from where `Upload-Offset` says. 204 with how far it is, 201 with the file once it is whole, 409 where the node has
    another number of bytes."""
    viewer, kernel, shelves = sender(request), request.app[KERNEL], request.app[SHELVES]
    check_token(request, request.headers.get(TOKEN, ""))
    if request.content_type != PARTIAL:
        raise BadRequest(reason="another media type than a part of an upload")
    async with uploading.sending(shelves, viewer), _in_hand(request) as (hand, upload):
        if hand is None or hand.growing is None or not isinstance(upload, UploadData):
            await drain(request)
            return _said(request, upload, 409)
        if request.headers.get(OFFSET, "") != str(hand.growing.size):
            await drain(request)
            return web.json_response({}, status=409, headers=_progress(hand.growing.size, upload.size))
        if hand.growing.size + (request.content_length or 0) > upload.size:
            raise TooLarge(uploading.MORE)
        done = await uploading.receive(kernel, shelves, viewer, upload, hand.growing, request.content.readany)
        return web.Response(status=204, headers=_progress(hand.growing.size, upload.size)) if done is None else _said(request, done, 201)


@for_script
async def give_up(request: web.Request) -> web.StreamResponse:
    """Ends an upload, and nothing is left of it."""
    kernel, shelves = request.app[KERNEL], request.app[SHELVES]
    check_token(request, request.headers.get(TOKEN, ""))
    async with _in_hand(request) as (_, found):
        if isinstance(found, UploadData):
            await uploading.drop(kernel, shelves, [found])
    return web.Response(status=204)


def _in_hand(request: web.Request) -> AbstractAsyncContextManager[tuple[Hand | None, UploadData | FileData]]:
    viewer, transport = sender(request), request.transport
    return uploading.in_hand(request.app[KERNEL], request.app[SHELVES], viewer, request.match_info["id"], transport)


async def drain(request: web.Request) -> None:
    """Reads a body that comes in vain: closed in its middle, the connection would take our answer with it."""
    if (request.content_length or 0) > DRAINED:
        return
    left = DRAINED
    with suppress(*uploading.CUT):
        async with asyncio.timeout(DRAIN_TIME):
            while left > 0 and (piece := await request.content.readany()):
                left -= len(piece)


def _said(request: web.Request, found: UploadData | FileData, status: int = 200) -> web.Response:
    """How far an upload is; of a whole one, the file."""
    if isinstance(found, UploadData):
        at = request.app[SHELVES].hands[found.id].growing
        return web.Response(status=204 if status == 200 else status, headers=_progress(at.size if at else found.received, found.size))
    headers = _progress(found.size, found.size) | {COMPLETE: "?1"}
    told = {"id": found.id, "name": found.name, "type": found.media_type, "size": found.size, "path": found.path}
    return web.json_response(told, status=status, headers=headers)


def _progress(received: int, size: int) -> dict[str, str]:
    return {OFFSET: str(received), LENGTH: str(size), COMPLETE: "?0"}


ROUTES = (
    web.post("/files", post_form),
    web.post("/uploads", begin),
    web.head("/uploads/{id}", look),
    web.patch("/uploads/{id}", go_on),
    web.delete("/uploads/{id}", give_up),
)
