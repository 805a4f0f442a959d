"""Decides whether the talk with partners goes, by what the node remembers of it."""

from collections.abc import Iterable

import sqlalchemy as sa

from fedcollab.base.clock import HOUR
from fedcollab.base.session import Session
from fedcollab.federation import follows, offers, queue
from fedcollab.federation.models import ADMITTED, SUSPENDED, Partner

from .findings import FAIL, WARN, Finding, Partners, ok, warn
from .patient import Patient
from .queues import numbered

TRIES = 12  # in vain, until it is worth a line: two hours


def _first(found: Partners) -> str:
    return next(iter(found.hosts.values()))


def _by_id(session: Session, ids: Iterable[str]) -> Partners:
    return numbered(session, lambda line: line.id in set(ids))


def _unless_none(found: Partners, text: str, mend: str, well: str) -> Finding:
    """A warning of those partners, if there are any; its remedy can name the first as %(host)s."""
    if not found.hosts:
        return ok(well)
    return warn(text, mend, number=len(found.hosts), who=found, host=_first(found))


def silent(patient: Patient) -> Finding:
    """`silent`: each partner has answered of late. Do several not, and all of them, it is rather our own network."""
    late = patient.clock() - HOUR

    def fails(line: queue.Line) -> bool:
        return line.state == ADMITTED and line.attempts > 0 and (line.last_success_at or line.decided_at or 0) < late

    with patient.session() as session:
        found, admitted = numbered(session, fails), numbered(session, lambda line: line.state == ADMITTED)
    if not found.hosts:
        return ok("Every partner answers (%(number)d).", number=len(admitted.hosts)) if admitted.hosts else ok("There are no partners yet.")
    values = {"who": found, "number": len(found.hosts), "all": len(admitted.hosts)}
    text = "Partners that have not answered for over an hour: %(number)d of %(all)d (%(who)s)."
    if len(found.hosts) == len(admitted.hosts) > 1:
        mend = "None answers, so look at this machine first: its network, its firewall, and `name` and `clock` here."
        return Finding(FAIL, text, mend, values)
    return Finding(WARN, text, "The last error says why: %(node)s federation status. Does it stay, call their admin.", values)


def suspended(patient: Patient) -> Finding:
    """`suspended`: nobody was suspended by the node itself, for keys that changed or for 45 days of silence."""
    with patient.session() as session:
        found = numbered(session, lambda line: line.state == SUSPENDED and line.suspended_for != "")
        reasons = {line.host: line.suspended_for for line in queue.lines(session)}
    if not found.hosts:
        return ok("No partner is suspended by itself.")
    host = _first(found)
    for_keys = reasons[host] == "keys"
    mend = (
        "Call their admin and compare the words: %(node)s partner words %(host)s. Do they match: %(node)s partner recheck %(host)s"
        if for_keys
        else "Call their admin. Is their node back: %(node)s federation resync %(host)s"
    )
    text = "Partners suspended until you decide: %(number)d (%(who)s)."
    return Finding(WARN, text, mend, {"number": len(found.hosts), "who": found, "host": host})


def new_keys(patient: Patient) -> Finding:
    """`new-keys`: no partner's new keys wait for a yes."""
    with patient.session() as session:
        found = _by_id(session, offers.signed(session))
    mend = "%(node)s partner accept-keys %(host)s"
    return _unless_none(found, "New keys of partners wait for your yes (%(who)s).", mend, "No partner's new keys wait.")


def words(patient: Patient) -> Finding:
    """`words`: the keys of each partner were compared by voice."""
    with patient.session() as session:
        unchecked = session.scalars(sa.select(Partner.id).where(Partner.state == ADMITTED, Partner.checked_at.is_(None))).all()
        found = _by_id(session, unchecked)
    text = "Partners with whom the words were never compared: %(number)d (%(who)s)."
    mend = "Call their admin: %(node)s partner words %(host)s. Do they match: %(node)s partner checked %(host)s"
    return _unless_none(found, text, mend, "The words were compared with all partners.")


def follow_us(patient: Patient) -> Finding:
    """`follows`: each partner follows us, for who does not is sent nothing."""
    with patient.session() as session:
        found = _by_id(session, follows.not_following(session))
    text = "Partners that do not follow us, so are sent nothing: %(number)d (%(who)s)."
    return _unless_none(found, text, "Ask their admin to approve you.", "All partners follow us.")


def gap(patient: Patient) -> Finding:
    """`gap`: what we may have missed of a partner can be fetched."""
    with patient.session() as session:
        failing = sa.and_(Partner.state == ADMITTED, Partner.resync_at.is_not(None), Partner.resync_tries >= TRIES)
        found = _by_id(session, session.scalars(sa.select(Partner.id).where(failing)).all())
    text = "Partners of whom we can't fetch what we missed: %(number)d (%(who)s)."
    mend = "The error says why: %(node)s federation status. Ask once more: %(node)s federation resync %(host)s"
    return _unless_none(found, text, mend, "Nothing is missing of what partners sent.")
