"""Decides what is done when somebody names a key of a partner that we have not pinned: only its own document, fetched by us, counts."""

import logging

from fedcollab.base.clock import MINUTE
from fedcollab.base.errors import FedcollabError

from . import fetch, offers
from .kernel import Kernel
from .partners import PartnerData

EVERY = 5 * MINUTE
log = logging.getLogger("fedcollab.federation")


async def in_doubt(kernel: Kernel, partner: PartnerData) -> None:
    """A request in a partner's name was signed by something else than its pinned keys: its Organization is looked at, at most every five
    minutes, for anybody can send such requests."""
    now = kernel.node.now()
    if kernel.looked.get(partner.id, 0) + EVERY <= now:
        kernel.looked[partner.id] = now
        await look_again(kernel, partner)


async def look_again(kernel: Kernel, partner: PartnerData) -> bool:
    """Fetches the partner's Organization from its own host and compares its keys with those pinned; whether they are the same as far as
    we can tell. Whoever merely names unknown keys changes nothing by it."""
    try:
        seen = await fetch.organisation(kernel, partner.uri)
    except FedcollabError as error:
        log.info("not looked at", extra={"reason": error.reason})
        return True
    return await kernel.database.write(offers.compare, kernel.node, partner, seen)
