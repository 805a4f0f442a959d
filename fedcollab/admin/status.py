"""Decides what an admin sees of the talk with partners: one line each, and the strangers that knocked."""

from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from fedcollab.actors import keys
from fedcollab.base.session import Session
from fedcollab.federation import delivery, follows, lookalikes, offers, partners, queue, vouching
from fedcollab.federation.models import APPLIED, PARKED, REFUSED, WAITING, InboxItem


def status(session: Session) -> dict[str, Any]:
    """Partners with their queues (`queue` says more of each), organisations met through them, applications, what was given up, and what
    came in and is not done, by state."""
    counts, applications = delivery.counts(session), partners.applications(session)
    lines = []
    for partner, more in standings(session):
        mine = counts.get(partner.id, {})
        queued = {state: mine.get(state, 0) for state in ("waiting", "parked", "refused")}
        lines.append(partner._asdict() | queued | more)
    _warn(session, lines + applications, partners.known_hosts(session))
    query = sa.select(InboxItem.state, sa.func.count()).where(InboxItem.state.in_((WAITING, PARKED, REFUSED))).group_by(InboxItem.state)
    inbox = {row[0]: row[1] for row in session.execute(query)}
    return {
        "partners": lines,
        "introduced": [asdict(one) for one in partners.introduced(session)],
        "applications": applications,
        "inbox": inbox,
        "queue": [asdict(line) for line in queue.lines(session)],
        "given_up": [asdict(one) for one in queue.given_up(session)],
        "stuck": [asdict(one) for one in queue.stuck(session)],
    }


def standings(session: Session) -> list[tuple[partners.PartnerData, dict[str, bool]]]:
    """Partners, with what of each wants an admin: new keys that wait for a yes; that it does not follow us."""
    offered, apart = offers.signed(session), follows.not_following(session)
    return [(p, {"new_keys": p.id in offered, "does_not_follow": p.id in apart}) for p in partners.listed(session)]


def _warn(session: Session, lines: list[dict[str, Any]], known: list[str]) -> None:
    """Puts beside each line who vouches for an applicant (`vouched_by`, and whether for other keys than we see: `vouched_other_keys`), and
    the name of a host that reads otherwise than it is written (`readable`) or like one of a partner (`resembles`)."""
    looks = lookalikes.looks_of(known)
    words = vouching.words_for(session, [line["host"] for line in lines if line.get("state", APPLIED) == APPLIED])
    for line in lines:
        said = words.get(line["host"], [])
        ours = keys.fingerprint(keys.in_state(session, line["organisation_id"])) if said and "organisation_id" in line else ""
        line["vouched_by"] = [word.name for word in said]
        line["vouched_other_keys"] = [word.name for word in said if ours and word.keys != ours]
        line["readable"] = lookalikes.readable(line["host"])
        line["resembles"] = lookalikes.resembles(line["host"], looks)
