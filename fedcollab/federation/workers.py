"""Decides how waiting work is done: of the inbox what is ready in one unit, the rest lane by lane; the deliveries by partner. Both resume
after a stop."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from fedcollab.actors import keys
from fedcollab.actors.keys import Signer
from fedcollab.actors.node import Node
from fedcollab.base.clock import MICROSECONDS
from fedcollab.base.crash import reach
from fedcollab.base.errors import Needs, Refused, Unavailable, Unreachable
from fedcollab.base.session import Session

from . import catchup, clocks, delivery, fetch, inbox, knocking, lanes, streams
from .delivery import LANES, Outcome, Parcel
from .kernel import Kernel
from .knocking import Peer

log = logging.getLogger("fedcollab.federation")
IDLE = 30.0
IN_A_ROW = 20  # items of a lane that goes on by itself
GATHER = 0.01  # seconds in which what comes at the same time becomes one unit
FETCHES = 20
CHORES_EVERY = 60.0
PAUSED = 1.0  # seconds after which a worker looks whether it may go on
Chore = Callable[[Session, Node], None]


async def run(kernel: Kernel, chores: Sequence[Chore] = ()) -> None:
    """The workers until cancelled. What a process that died held in its hands is given back first, and each partner is asked for what it
    has sent meanwhile."""
    await _give_back(kernel)
    async with asyncio.TaskGroup() as group:
        group.create_task(_do(kernel, chores))
        group.create_task(_forever(kernel, "inbox", Lanes(kernel, group, "inbox", _inbox_lane).start_inbox))
        group.create_task(_forever(kernel, "delivery", Lanes(kernel, group, "delivery", _burst).start_deliveries))
        group.create_task(_forever(kernel, "catchup", catchup.Asking(kernel, group).start))


async def _give_back(kernel: Kernel) -> None:
    """A disk that is full when the node starts is waited for: nobody would start the workers later."""
    while True:
        try:
            await kernel.database.write(delivery.release_all)
            await kernel.database.write(catchup.want, kernel.node)
            return
        except Exception:
            log.exception("worker", extra={"topic": "start"})
            await asyncio.sleep(1.0)


async def _do(kernel: Kernel, chores: Sequence[Chore]) -> None:
    """Each chore once a minute; one that fails is tried again with the next."""
    while True:
        await _at_work(kernel, "chores")
        for chore in chores:
            try:
                await kernel.database.write(chore, kernel.node)
            except Exception:
                log.exception("chore", extra={"topic": chore.__name__})
        await asyncio.sleep(CHORES_EVERY)


async def _at_work(kernel: Kernel, topic: str) -> None:
    """Waits while the node is being worked on, and notes that this worker is alive."""
    while True:
        kernel.pulse[topic] = time.monotonic()
        if kernel.node.maintenance.state() is None:
            return
        await asyncio.sleep(PAUSED)


async def _forever(kernel: Kernel, topic: str, once: Callable[[], Awaitable[float]]) -> None:
    """Does or starts what is due, then waits for a commit that brings something, for a lane that ends, or for the next try's time."""
    event = kernel.database.wakes.event(topic)
    while True:
        await _at_work(kernel, topic)
        event.clear()
        try:
            wait = await once()
        except Exception:
            log.exception("worker", extra={"topic": topic})
            wait = 1.0
        if not wait:
            continue
        try:
            async with asyncio.timeout(wait):
                await event.wait()
        except TimeoutError:
            continue


class Lanes:
    """Work side by side: a task for each lane that has to wait for somebody, so that a slow partner or document holds up nobody else."""

    def __init__(
        self, kernel: Kernel, group: asyncio.TaskGroup, topic: str, work: Callable[[Kernel, str, list[int]], Awaitable[None]]
    ) -> None:
        self.kernel = kernel
        self.group = group
        self.event = kernel.database.wakes.event(topic)
        self.work = work
        self.running: dict[str, asyncio.Task[None]] = {}

    async def start_inbox(self) -> float:
        """Does what is ready, and starts a lane for what has to be looked at by itself; answers the seconds to wait for more. Where the
        unit is lost with all that was in it, each lane goes by itself: so the one that is to blame is found."""
        busy, kernel = frozenset(self.running), self.kernel
        reach("process.before")
        try:
            done, alone, early = await kernel.database.write(inbox.process_ready, kernel.node, kernel.registry, busy=busy)
        except Exception:
            log.exception("worker", extra={"topic": "inbox"})
            done, early, alone = 0, None, await kernel.database.read(lanes.due, kernel.node.now(), busy=busy)
        for lane, items in alone.items():
            self._start(lane, items)
        now = kernel.node.now()
        if early is not None and early <= now:
            for lane, items in (await kernel.database.read(lanes.early, now, busy=busy)).items():
                self._start(lane, items)
            early = None
        if done:
            await asyncio.sleep(GATHER)
        if done or alone:
            return 0.0
        return IDLE if early is None else min(IDLE, max(0.05, (early - now) / MICROSECONDS))

    async def start_deliveries(self) -> float:
        """Starts a burst to each partner that is due; answers the seconds until the next try."""
        for partner_id, host in await self.kernel.database.write(delivery.lease, self.kernel.node.now()):
            lane = f"{partner_id} {host}"
            if lane not in self.running:  # a clock set forward ends leases that are still in our own hands
                self._start(lane, [])
        at = await self.kernel.database.read(delivery.next_due, self.kernel.node.now())
        return IDLE if at is None else min(IDLE, max(0.05, (at - self.kernel.node.now()) / MICROSECONDS))

    def _start(self, lane: str, items: list[int]) -> None:
        self.running[lane] = self.group.create_task(self._run(lane, items))

    async def _run(self, lane: str, items: list[int]) -> None:
        try:
            await self.work(self.kernel, lane, items)
        except Exception:
            log.exception("worker")
            await asyncio.sleep(1.0)
        finally:
            del self.running[lane]
            self.event.set()


async def _inbox_lane(kernel: Kernel, _lane: str, items: list[int]) -> None:
    """A lane's next items in their order, one by one; what comes after them is ready again with all others."""
    for item_id in items[:IN_A_ROW]:
        if not await _process(kernel, item_id):
            return


async def _process(kernel: Kernel, item_id: int) -> bool:
    """Gives one item its effect; False where its lane has to wait."""
    reach("process.before")
    fetched: dict[str, Any] = {}
    for _ in range(FETCHES):
        try:
            refused = await kernel.database.write(inbox.settle, kernel.node, kernel.registry, item_id, fetched)
            if refused is not None:
                log.info("refused", extra={"item": item_id, "reason": refused.reason or refused.text})
            return True
        except Needs as needs:
            try:
                fetched[needs.uri] = await _fetch(kernel, needs.uri)
            except Unreachable as error:
                if await kernel.database.write(inbox.later, item_id, kernel.node.now(), error.reason):
                    return True
                fetched[needs.uri] = None
        except Unavailable:
            await asyncio.sleep(1.0)
            return False
        except Exception as error:
            log.exception("an activity could not be processed", extra={"item": item_id})
            await kernel.database.write(inbox.postpone, item_id, kernel.node.now(), f"{type(error).__name__}")
            return False
    await kernel.database.write(inbox.refuse, kernel.node, item_id, Refused(reason="needs more than 20 documents"))
    return True


async def _fetch(kernel: Kernel, uri: str) -> dict[str, Any] | None:
    """What a unit lacks, fetched with no transaction open; None where it is not to be had. Raises Unreachable where it is not just now."""
    try:
        return await fetch.document(kernel, uri)
    except Unreachable as error:
        log.info("not fetched", extra={"reason": error.reason})
        if error.passes:
            raise
        return None


async def _burst(kernel: Kernel, lane: str, _items: list[int]) -> None:
    """Delivers what waits for one partner until nothing is left or the partner cannot take more."""
    partner_id, _, host = lane.partition(" ")
    to = await kernel.database.read(knocking.peer, host)
    if to is None:
        return
    while True:
        parcels = await kernel.database.read(delivery.batch, partner_id, kernel.node.now())
        outcomes = await _lanes(kernel, to, parcels)
        if outcomes and all(o.status in delivery.BY_PROXY for o in outcomes) and not await knocking.is_there(kernel, to, delivery.BY_PROXY):
            outcomes = [replace(outcome, away=True) for outcome in outcomes]
        stop = len(parcels) < delivery.BATCH or any(o.verdict is delivery.Verdict.PARTNER for o in outcomes)
        stop = stop or kernel.node.maintenance.state() is not None
        await kernel.database.write(delivery.mark, kernel.node, partner_id, outcomes, release=stop, form=to.form)
        kernel.sent.update(outcome.verdict.value for outcome in outcomes)
        if stop:
            return


async def _lanes(kernel: Kernel, to: Peer, parcels: list[Parcel]) -> list[Outcome]:
    """Up to eight threads at once, each in its order; a failure stops its own thread, the partner's failure all. What a slow partner has
    not taken after half a lease waits for the next burst, so that no lease runs out under one."""
    lanes: dict[str, list[Parcel]] = {}
    for parcel in parcels:
        lanes.setdefault(parcel.order_key, []).append(parcel)
    signers = await kernel.database.read(_signers, kernel, {p.actor_id for p in parcels}, to.kind)
    turn, away, outcomes = asyncio.Semaphore(LANES), asyncio.Event(), list[Outcome]()
    ends = kernel.node.now() + delivery.LEASE // 2

    async def lane(queue: list[Parcel]) -> None:
        async with turn:
            for parcel in queue:
                if away.is_set() or kernel.node.now() >= ends:
                    return
                if not await delivery.still_goes(kernel.database, to.id, parcel.seq):
                    continue
                outcome = await _send(kernel, to, parcel, signers[parcel.actor_id])
                outcomes.append(outcome)
                if outcome.verdict is delivery.Verdict.PARTNER:
                    away.set()
                if outcome.verdict in (delivery.Verdict.PARTNER, delivery.Verdict.ACTIVITY):
                    return

    await asyncio.gather(*(lane(queue) for queue in lanes.values()))
    return outcomes


def _signers(session: Session, kernel: Kernel, actor_ids: set[str], kind: str) -> dict[str, Signer]:
    """Each activity's request is signed by its own actor, with the type of key that the partner reads."""
    return {actor_id: keys.signer(session, kernel.node, actor_id, kind) for actor_id in actor_ids}


async def _send(kernel: Kernel, to: Peer, parcel: Parcel, signer: Signer) -> Outcome:
    try:
        reach("send.before")
        place = streams.header(parcel.epoch, parcel.seq) if to.kind == keys.ED25519 else {}  # others count nothing
        answer = await knocking.post(kernel, to, parcel.inbox, parcel.body, signer, place)
    except Unreachable as error:
        return Outcome(parcel.seq, 0, error.reason)
    reach("send.after")
    words = "" if answer.status < 300 else clocks.why(answer, kernel.node.now())
    return Outcome(parcel.seq, answer.status, words, answer.retry_after)
