"""Decides what a node is made of: the tuple of features, the middlewares and their order, one application an node; no globals."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

from fedcollab.actors.node import Node
from fedcollab.admin.feature import FEATURE as ADMIN
from fedcollab.backup.erasures import Part
from fedcollab.base.config import Settings
from fedcollab.base.crypto import derive, read_master_key
from fedcollab.base.database import Database, open_database
from fedcollab.base.errors import FedcollabError
from fedcollab.base.gate import LARGE_AT_ONCE, LARGE_BODIES, gate
from fedcollab.base.http import Fetcher, agent_of
from fedcollab.base.maintenance import Maintenance
from fedcollab.base.paths import STATIC, NodeFiles
from fedcollab.base.room import MEGABYTE, Room
from fedcollab.base.session import Session
from fedcollab.base.templates import Templates
from fedcollab.base.web import (
    BODY_BYTES,
    SECRET,
    SETTINGS,
    SHOW_ERROR,
    TYPED,
    add_headers,
    answer_errors,
    local,
    redirect,
    token_base,
    wants_document,
)
from fedcollab.feature import (
    AGAIN,
    ARRIVALS,
    ASKED,
    BESIDE,
    CODES,
    COLLEAGUES,
    COUNTED,
    HOME,
    MENU,
    OUTBOX,
    TEMPLATES,
    AskAgain,
    Counted,
    Feature,
    count_in_menu,
    login_address,
    nothing_lost,
    page,
    unlock_first,
)
from fedcollab.features.cases import memory
from fedcollab.features.cases.feature import FEATURE as CASES
from fedcollab.features.cases.memory import MEMORY, Memory
from fedcollab.features.discussions.feature import FEATURE as DISCUSSIONS
from fedcollab.features.guests.allowed import only_their_case
from fedcollab.features.guests.feature import FEATURE as GUESTS
from fedcollab.features.keeping.feature import FEATURE as KEEPING
from fedcollab.features.members.colleagues import colleagues
from fedcollab.features.members.ending import NAMED_IN_RING as SIGNED_IN
from fedcollab.features.members.feature import FEATURE as MEMBERS
from fedcollab.features.members.feature import RATE, THROTTLE, Rate, Throttle, session_viewer
from fedcollab.features.referrals import fetching
from fedcollab.features.referrals.feature import FEATURE as REFERRALS
from fedcollab.features.resources.exchange.exporting import EXPORTS, exports
from fedcollab.features.resources.exchange.views import TURNS
from fedcollab.features.resources.feature import FEATURE as LIBRARY
from fedcollab.features.resources.stories.feature import FEATURE as STORIES
from fedcollab.features.rooms.feature import FEATURE as ROOMS
from fedcollab.features.searching.feature import FEATURE as SEARCHING
from fedcollab.features.searching.views import SEARCHES, searches
from fedcollab.federation import away, catchup, follows, mirror, offers, profiles, retention, streams, succession, views, vouching, workers
from fedcollab.federation.kernel import KERNEL, Kernel
from fedcollab.federation.registry import Registry
from fedcollab.files import previews, sweeping, taken_away
from fedcollab.files import views as files
from fedcollab.files.holding import HOLDS
from fedcollab.files.shelves import SHELVES, shelves
from fedcollab.flows import guests
from fedcollab.flows.feature import FEATURE as FLOWS
from fedcollab.running import disk, health, metrics
from fedcollab.running.closing import closed
from fedcollab.sealing import (
    case_boxes,
    checkpoints,
    consents,
    consents_again,
    consents_in,
    crossing,
    ended_again,
    ending,
    file_asking,
    file_serving,
    finishing,
    going,
    head_asking,
    head_receiving,
    head_telling,
    keepers,
    key_asking,
    key_serving,
    leaving,
    member_boxes,
    organisation,
    partner_keys,
    people,
    pinned,
    proving,
    ring,
    room_quotas,
    room_receiving,
    room_tasks,
    sheets,
    taken_back,
    working,
)
from fedcollab.sealing.unlocked import Locked
from fedcollab.search import filling, names

FEDERATION = Feature(
    "federation",
    routes=(*views.ROUTES, *streams.ROUTES, *mirror.ROUTES),
    handlers=(*follows.HANDLERS, *offers.HANDLERS, *succession.HANDLERS, *vouching.HANDLERS),
    chores=(catchup.listen, away.suspend_away, profiles.renew_own, succession.turn_when_due, offers.end_old, *retention.CHORES),
)
FILES = Feature(
    "files",
    routes=(*files.ROUTES, *previews.ROUTES),
    erasures=Part("files", taken_away.listed, taken_away.take_again),
    restored=(taken_away.begin_anew,),
)
RUNNING = Feature("running", routes=(*health.ROUTES, *metrics.ROUTES), chores=disk.CHORES)
SEALING = Feature(
    "sealing",
    routes=(*key_serving.ROUTES, *file_serving.ROUTES, *head_asking.ROUTES),
    handlers=(*partner_keys.HANDLERS, *room_receiving.HANDLERS, *head_receiving.HANDLERS),
    chores=(
        ring.finish,
        finishing.finish,
        sheets.end_old,
        keepers.end_left,
        crossing.lock_left,
        ending.end_due,
        room_quotas.take_again,
        *[working.keep_turning] * 8,  # each a unit of a few rooms, so that nobody waits long
        room_tasks.look_for_owners,
        *[proving.prove_anew] * 4,
        *head_telling.CHORES,
        checkpoints.cut,
    ),
    erasures=Part("sealed", taken_back.listed, taken_back.take_again),
    restored=(organisation.begin_anew, head_telling.say_restored),
    namings=(people.NAMED_IN_RING, organisation.NAMED_IN_RING, sheets.NAMED_IN_RING, case_boxes.NAMED_IN_RING, member_boxes.NAMED_IN_RING),
)
CONSENTS = Feature(
    "consents",
    handlers=consents_in.HANDLERS,
    chores=(consents.end_by_day, consents.ask_again),
    erasures=Part("consents", consents_again.ended_since, consents_again.end_again),
)
ENDINGS = Feature("endings", erasures=Part("rooms", ended_again.ended_since, ended_again.end_again), restored=(ended_again.ask_again,))
MAIN = (DISCUSSIONS, LIBRARY, STORIES, CASES, ROOMS, MEMBERS, SEARCHING, KEEPING, REFERRALS, GUESTS, FLOWS, ADMIN)
FEATURES: tuple[Feature, ...] = (FEDERATION, *MAIN, FILES, RUNNING, SEALING, CONSENTS, ENDINGS)
NAMINGS = tuple(naming for feature in FEATURES for naming in feature.namings)
STOCKS = tuple(feature.stock for feature in FEATURES if feature.stock is not None)


def named(session: Session, actor_id: str) -> None:
    """What follows, in the same commit, from an actor that is made, renamed, brought or ended."""
    names.named(session, actor_id)
    pinned.seen(session, actor_id)


def make_kernel(settings: Settings, place: NodeFiles, *, patient: bool = False, database: Database | None = None) -> Kernel:
    """One node's kernel; `patient` for commands beside a running node."""
    room, maintenance = Room(place.root, settings.disk_reserve * MEGABYTE), Maintenance(place.maintenance)
    keys = ring.open_ring(settings, place)
    node = Node(settings, read_master_key(place), files=place, room=room, maintenance=maintenance, named=named, ring=keys)
    opened = database or open_database(settings.database_url or f"sqlite:///{place.database}", patient=patient)
    registry = Registry(handler for feature in FEATURES for handler in feature.handlers)
    fetcher = Fetcher(peers=frozenset(settings.loopback_peers), agent=agent_of(settings.base_url))
    return Kernel(node, opened, fetcher, registry)


def make_app(kernel: Kernel) -> web.Application:
    """The node's application, its workers with it: they start with the server and stop before it."""
    middlewares = [answer_errors, token_base, gate, nothing_lost, session_viewer, only_their_case, closed, count_in_menu]
    app = web.Application(middlewares=middlewares, client_max_size=BODY_BYTES)
    app[KERNEL] = kernel
    app[SETTINGS] = kernel.node.settings
    app[SECRET] = derive(kernel.node.master_key, "web")
    app[TEMPLATES] = Templates()
    app[MENU] = tuple(item for feature in FEATURES for item in feature.menu)
    app[BESIDE] = tuple(one for feature in FEATURES for one in feature.beside)
    app[HOME] = tuple(note for feature in FEATURES for note in feature.home)
    app[OUTBOX] = tuple(taker for feature in FEATURES for taker in feature.outbox)
    app[ARRIVALS] = tuple(arrivals for feature in FEATURES for arrivals in feature.arrivals)
    app[HOLDS] = tuple(feature.holds for feature in FEATURES if feature.holds)
    app[SHELVES] = shelves(kernel.node.settings, kernel.node.files)
    app[ASKED] = tuple(feature.asked for feature in FEATURES if feature.asked)
    app[RATE] = Rate(kernel.node.clock)
    app[CODES] = {code: text for feature in FEATURES for code, text in feature.codes.items()}
    app[COLLEAGUES] = colleagues
    app[SEARCHES] = searches()
    app[EXPORTS] = exports()
    app[TURNS] = asyncio.Semaphore(1)
    app[COUNTED] = Counted()
    app[SHOW_ERROR] = show_error
    app[LARGE_BODIES] = asyncio.Semaphore(LARGE_AT_ONCE)
    app[THROTTLE] = Throttle(kernel.node.clock)
    app[MEMORY] = Memory(SIGNED_IN.named)
    app[health.HEALTH] = health.Health()
    app[metrics.REQUESTS] = metrics.Requests()
    for feature in FEATURES:
        app.add_routes(feature.routes)
    app.router.add_static("/static", STATIC)
    app.on_response_prepare.append(add_headers)
    app.on_response_prepare.append(app[metrics.REQUESTS].count)
    app.cleanup_ctx.append(_work)
    app.cleanup_ctx.append(sweeping.run)
    app.cleanup_ctx.append(leaving.run)
    app.cleanup_ctx.append(going.run)
    app.cleanup_ctx.append(key_asking.run)
    app.cleanup_ctx.append(file_asking.run)
    app.cleanup_ctx.append(head_asking.run)
    app.cleanup_ctx.append(fetching.run)
    app.cleanup_ctx.append(guests.run)
    app.cleanup_ctx.append(memory.run)
    app.cleanup_ctx.append(metrics.apart)
    return app


async def _work(app: web.Application) -> AsyncIterator[None]:
    kernel = app[KERNEL]
    kernel.database.watch()
    task = asyncio.create_task(workers.run(kernel, [chore for feature in FEATURES for chore in feature.chores]))
    index = asyncio.create_task(filling.run(kernel.database, kernel.node, STOCKS))
    app[health.HEALTH].workers = task
    yield
    for one in (task, index):
        one.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await one
    await kernel.fetcher.close()
    await asyncio.to_thread(kernel.database.close)
    kernel.node.ring.close()


def show_error(request: web.Request, error: FedcollabError) -> web.Response:
    """An error as a page in the reader's language; who has to sign in first, or to unlock their keys, is led there and back."""
    if isinstance(error, Locked) and request.headers.get("HX-Request") != "true":
        return unlock_first(request)
    if isinstance(error, AskAgain) and request.method in ("GET", "HEAD"):
        return redirect(login_address(request, AGAIN))
    if error.status == 401 and request.method == "GET" and not wants_document(request):
        return redirect(login_address(request))
    template = "base/refused.html" if request.headers.get("HX-Request") == "true" else "base/error.html"
    back = local(request.query.get("next", "/")) if request.method == "POST" and request.path == "/files" else ""
    to = login_address(request) if error.status == 401 else "" if error.status in (404, 410) else request.path_qs
    return page(request, template, status=error.status, error=error, back=back, typed=request.get(TYPED, ()), to=to)
