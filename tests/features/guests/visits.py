"""Gives tests guests on a running node: asked to a case, with an account, their keys unlocked in their browser."""

from dataclasses import replace
from typing import Any

from fedcollab.access.models import AMBER
from fedcollab.base.web import cookie_name
from fedcollab.features.guests import service
from fedcollab.features.members import service as members
from fedcollab.features.members import sessions
from fedcollab.sealing import people, unlocked
from tests.features.cases.desks import UNLOCK, Office
from tests.web import Visitor, hashed

SARA = service.Asked("Sara Lind", "Police of Xanten", "LawEnforcement")


async def asked(at: Office, case: str, by: str = "noor", **over: str) -> tuple[str, str]:
    """(the guest's row, the token of their link)."""
    made: tuple[str, str] = await at.do(by, service.invite, case, replace(SARA, **over))
    return made


async def comes(at: Office, token: str, username: str = "sara") -> Visitor:
    """A guest has used the link: an account, signed in, with a key that is unlocked here."""

    def work(session: Any, node: Any) -> tuple[Any, str]:
        guest = service.invited(session, node, token)
        account = dict(username=username, name=guest.name, works_for=guest.works_for, password_hash=hashed(), language="")
        made = members.add_guest(session, node, None, **account)
        service.joined(session, node, guest, made.person_id)
        started = sessions.start_session(session, node, made.person_id, "test")
        with node.ring.begin() as ring:
            key = people.make(session, ring, node, made.person_id, UNLOCK)
            unlocked.unlock(ring, started, [key], node.now())
        at.keys[username] = [key]
        return sessions.signed_in(session, node, started), started

    found, started = await at.site.write(work)
    at.people[username] = Visitor(at.site, found.viewer, {cookie_name(at.site.kernel.node.settings, "session"): started})
    return at.people[username]


async def guest(at: Office, case: str, username: str = "sara", **over: str) -> Visitor:
    """Somebody asked to a case, who has come and reads nothing yet."""
    return await comes(at, (await asked(at, case, **over))[1], username)


async def a_case(at: Office, label: str = AMBER) -> str:
    return await at.case("noor", label)
