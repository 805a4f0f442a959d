"""Decides whether this machine's clock is right: by the times that partners' answers carry; they refuse what is signed at another."""

import asyncio
import statistics
from email.utils import parsedate_to_datetime

import sqlalchemy as sa

from fedcollab.actors.models import Actor
from fedcollab.base.clock import MICROSECONDS
from fedcollab.base.errors import FedcollabError
from fedcollab.federation.models import ADMITTED, Partner

from .findings import FAIL, OK, WARN, Finding, skip
from .patient import Patient

ASKED = 5  # partners
SLOW, WRONG = 60, 300  # seconds


async def clock(patient: Patient) -> Finding:
    """`clock`: it differs from partners' by less than a minute; signatures bear five."""
    found = [apart for apart in await asyncio.gather(*(_apart(patient, *one) for one in _partners(patient))) if apart is not None]
    if not found:
        return skip("No partner answered whose clock ours could be compared with.")
    apart = statistics.median(found)
    values = {"apart": abs(apart), "number": len(found)}
    text = f"The clock is %(apart)d seconds {'ahead of' if apart > 0 else 'behind'} partners' (%(number)d asked)."
    level = FAIL if abs(apart) > WRONG else WARN if abs(apart) > SLOW else OK
    if level == OK:
        return Finding(OK, "The clock agrees with partners' (%(number)d asked).", "", values)
    return Finding(level, text, "Let the machine keep it: apt install systemd-timesyncd, then: timedatectl set-ntp true", values)


def _partners(patient: Patient) -> list[tuple[str, str]]:
    """(host, id) of partners that answered last."""
    with patient.session() as session:
        query = sa.select(Partner.host, Actor.uri).join(Actor, Actor.id == Partner.organisation_id).where(Partner.state == ADMITTED)
        return [(row.host, row.uri) for row in session.execute(query.order_by(Partner.last_success_at.desc()).limit(ASKED))]


async def _apart(patient: Patient, host: str, uri: str) -> float | None:
    """By how many seconds our clock is ahead of a partner's; None where it says nothing."""
    before = patient.clock()
    try:
        answer, _ = await patient.fetcher.see(uri, permit=lambda asked: asked == host, headers={"Accept": "application/activity+json"})
        theirs = parsedate_to_datetime(answer.date).timestamp()
    except (FedcollabError, TypeError, ValueError, IndexError, OverflowError):
        return None
    return (before + patient.clock()) / 2 / MICROSECONDS - theirs
