"""Decides what must not come back of accounts with an older backup: ended ones, roles taken away, what opened an account before, an open
access that its person had locked."""

from collections.abc import Iterable

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.models import AuditEntry
from fedcollab.access.viewer import MEMBER
from fedcollab.actors.node import Node
from fedcollab.backup.erasures import Part
from fedcollab.base.errors import Refused
from fedcollab.base.session import Session
from fedcollab.sealing import crossing

from . import ending, factor, service
from .models import Member
from .service import MemberData

PASSKEYS = ("passkey_add", "passkey_remove")
ROLES, WAYS_IN, LOCKED = "roles", "ways-in", "locked"
CHANGED = ("password", "factor_on", "factor_off", "factor_reset", "recovery_code", "recovery_codes", *PASSKEYS)  # what opens it


def listed(session: Session, since: int) -> list[str]:
    """The accounts that were ended since, by their ids; `roles ID ROLE...` where roles were changed and these are left; `ways-in ID` where
    a password or second factor was changed: whoever had the one before may have been why; `locked ID` of who has locked their access."""
    ended = service.disabled_since(session, since)
    roles = [f"{ROLES} {one.person_id} {' '.join(one.roles)}" for one in _about(session, since, ["member.roles"])]
    ways = [f"{WAYS_IN} {one.person_id}" for one in _about(session, since, [f"member.{name}" for name in CHANGED])]
    locked = [f"{LOCKED} {person_id}" for person_id in crossing.locked_since(session, since)]
    return [*roles, *ways, *locked, *ended]


def _about(session: Session, since: int, actions: Iterable[str]) -> list[MemberData]:
    said = sa.select(AuditEntry.subject).where(AuditEntry.at >= since, AuditEntry.action.in_(tuple(actions)))
    ids = set(session.scalars(said))
    return [one for one in service.listed(session) if one.person_id in ids and one.disabled_at is None]


def take_again(session: Session, node: Node, name: str) -> None:
    """Takes one of them away again. Raises Refused where that is done, or would leave the node without an admin."""
    kind, _, rest = name.partition(" ")
    if kind == ROLES:
        person_id, *left = rest.split(" ")
        person = service.find(session, person_id)
        kept = sorted(set(person.roles) & set(left))
        if kept == sorted(person.roles):
            raise Refused()
        service.set_roles(session, node, None, person_id, kept or [MEMBER])
    elif kind == WAYS_IN:
        person = service.find(session, rest)
        session.execute(sa.update(Member).where(Member.person_id == person.person_id).values(password_hash=""))
        factor.forget(session, person.person_id)
        ending.forget_password(session, node, person.person_id)
        audit.record(session, node.now(), None, "member.factor_reset", person.person_id)
    elif kind == LOCKED:
        crossing.lock_again(session, node, rest)
    else:
        service.disable_again(session, node, name)


ERASURES = Part("members", listed, take_again)
