"""Decides how records go out as a file, streamed part by part: each with its label, so that it is not lost on the way."""

from aiohttp import web

from fedcollab.base.errors import BadRequest, N_, TooMany
from fedcollab.base.web import client
from fedcollab.feature import viewer_of
from fedcollab.federation.kernel import KERNEL
from fedcollab.federation.rates import Buckets

from . import choosing, formats

EXPORTS = web.AppKey("exports", Buckets)
AT_ONCE, A_SECOND = 60, 0.5  # files, feeds and harvesters' questions of one person, or of one address that has not signed in


def exports() -> Buckets:
    """How much each may still take out."""
    return Buckets(AT_ONCE, A_SECOND)


def take_turn(request: web.Request) -> None:
    """Raises TooMany for whoever asks too often."""
    wait = request.app[EXPORTS].take(viewer_of(request).person_id or client(request), request.app[KERNEL].node.now())
    if wait:
        raise TooMany(retry_after=wait)


async def export(request: web.Request) -> web.StreamResponse:
    """The library as filtered, one record (`id`) or a reading list (`list`) in one of the formats."""
    viewer, database = viewer_of(request), request.app[KERNEL].database
    chosen = formats.FORMATS.get(request.query.get("format", ""))
    if chosen is None:
        raise BadRequest(N_("Choose the format."))
    take_turn(request)
    asked = choosing.choice(request.query)
    items, after = await database.read(choosing.part, viewer, asked, "")
    answer = web.StreamResponse(
        headers={"Content-Type": chosen.media_type, "Content-Disposition": f'attachment; filename="library.{chosen.extension}"'}
    )
    await answer.prepare(request)
    await answer.write(chosen.head().encode())
    while True:
        text = "".join(chosen.write(item.record, item.label, item.uri) for item in items)
        await answer.write(text.encode("utf-8", "replace"))
        if not after:
            break
        items, after = await database.read(choosing.part, viewer, asked, after)
    await answer.write(chosen.tail.encode())
    await answer.write_eof()
    return answer
