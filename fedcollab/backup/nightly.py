"""Decides what one run is: made beside the running node, put on record whatever became of it; and when the next one is due."""

import asyncio
import errno
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from fedcollab.base.clock import DAY, MICROSECONDS, system_clock
from fedcollab.base.errors import FedcollabError, Misconfigured
from fedcollab.base.paths import NodeFiles
from fedcollab.base.session import Session
from fedcollab.federation.kernel import Kernel
from fedcollab.sealing import carrying

from . import erasures, keeping, making, ring_sets, runs
from .making import Made, Say


async def run(kernel: Kernel, files: NodeFiles, directory: Path, parts: Sequence[erasures.Part], say: Say) -> Made:
    """Makes one backup, then one of the key ring, so that what the rows name is in it. Raises Misconfigured, having put the reason on
    record; what of the ring is too old goes whatever becomes of this."""
    node, directory = kernel.node, directory.absolute()
    since = node.now() - node.settings.backup_keep * DAY

    def erased(session: Session) -> dict[str, list[str]]:
        with node.ring.look() as ring:
            gone = carrying.destroyed(ring, node.now() - carrying.FINAL)
        return erasures.listed(session, parts, since) | {ring_sets.FOLDER: gone}

    try:
        kept = keeping.read(files, node.master_key)
        try:
            made = await making.create(
                files, node.settings, kept, directory, say=say, erased=lambda: kernel.database.read(erased), clock=node.clock
            )
        finally:
            await asyncio.to_thread(ring_sets.prune, directory, node.settings, node.now())
        await asyncio.to_thread(ring_sets.create, files, node.settings, kept, directory, node.ring, clock=node.clock)
    except OSError as error:
        where = directory if error.errno != errno.ENOSPC else f"{directory} or {files.root}"
        trouble = Misconfigured("%(path)s can't be written (%(error)s). Make room, or mount it.", path=where, error=error.strerror)
        await _failed(kernel, directory, trouble)
        raise trouble from None
    except FedcollabError as error:
        await _failed(kernel, directory, error)
        raise
    await kernel.database.write(runs.succeeded, node, str(directory), made.path.name, made.size, made.written)
    return made


async def _failed(kernel: Kernel, directory: Path, error: FedcollabError) -> None:
    with suppress(FedcollabError):  # a full disk may be the reason why none was made
        await kernel.database.write(runs.failed, kernel.node, str(directory), error.in_words())


def until(now: datetime, daily: str) -> float:
    """Seconds until it is `daily` (HH:MM) on this machine the next time. Raises Misconfigured."""
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", daily):
        raise Misconfigured("Write the time of day as HH:MM, for example 03:15.")
    hour, minute = map(int, daily.split(":"))
    due = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return ((due if due > now else due + timedelta(days=1)) - now).total_seconds()


async def pause(daily: str) -> None:
    """Waits until the time of day."""
    await asyncio.sleep(until(datetime.fromtimestamp(system_clock() / MICROSECONDS).astimezone(), daily))
