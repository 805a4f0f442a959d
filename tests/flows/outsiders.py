"""Gives tests referrals to an organisation without a node, as Noor makes them on her pages and somebody outside answers them."""

import re
from html import unescape
from typing import Any

import sqlalchemy as sa

from fedcollab.features.cases.people import Health, Identity, Person
from fedcollab.features.referrals.models import Referral
from tests.features.cases.desks import Office
from tests.features.referrals.test_referral_pages import CODE, NAME, REGION, form_of, step
from tests.web import PASSWORD, Visitor

WHO = {"to": "outside", "name": "Sara Lind", "works_for": "Police of Xanten", "type": "LawEnforcement", "land": "Germany"}
HEALTH = "Penicillin"
FIRST: dict[str, Any] = {
    "reason": "AdditionalServicesRequired",
    "support": ["Legal", "Health"],
    "urgency": "Days",
    "age": "18-20",
    "languages": "Khmer, en",
    "country": "Cambodia",
    "region": REGION,
}
GROUND = {
    "what": "Who she is",
    "why": "A complaint, as she has asked for",
    "without": "Danger",
    "without_why": "She cannot be asked today",
    "basis": "VitalInterests",
    "out_of": "NL",
    "transfer": "VitalInterests",
}
WORDS = re.compile(r'class="say code ltr"[^>]*>([^<]+)<')


async def a_case(at: Office) -> str:
    case, now = await at.case("noor"), at.site.kernel.node.now()
    await at.say("noor", case, Person(at=now, person=CODE, role="PotentialVictim"))
    await at.say("noor", case, Identity(at=now, person=CODE, name=NAME))
    await at.say("noor", case, Health(at=now, person=CODE, urgent=HEALTH))
    return case


async def to_the_end(at: Office, case: str, **ground: Any) -> str:
    """All steps; the last page."""
    status, page = await step(at, case, (await at["noor"].get(f"/cases/{case}/refer"))[1], **WHO)
    assert (status, "What they see before they answer" in page) == (200, True), page
    for typed in (FIRST, {"take": [f"{CODE}/", f"{CODE}/identity"]}, GROUND | ground):
        status, page = await step(at, case, page, **typed)
        assert status == 200, re.findall(r'class="err"[^>]*>(.*?)</p>', page, re.DOTALL)
    return page


async def refer(at: Office, case: str, **ground: Any) -> tuple[str, str]:
    """(the link, the code) that Noor is shown this once."""
    pairs: Any = [(name, value) for name, values in form_of(await to_the_end(at, case, **ground)).items() for value in values]
    status, _, page = await at["noor"].ask("POST", f"/cases/{case}/refer/send", pairs)
    link, code = re.search(r"/guests/join/[\w-]+", page), re.search(r'id="code">([\d ]+)<', page)
    assert (status, bool(link), bool(code)) == (200, True, True), page
    assert link
    assert code
    return link[0], code[1]


async def row(at: Office) -> Any:
    found = await at.site.kernel.database.read(lambda session: session.execute(sa.select(Referral.__table__)).all())
    return found[-1]


async def shown(at: Office, link: str, code: str) -> str:
    """What somebody sees who has both."""
    status, _, page = await at.site.stranger().post(link, at=link, act="open", code=code)
    assert status == 200, page
    return page


async def accept(at: Office, link: str, code: str, username: str = "sara") -> Visitor:
    visitor = at.site.stranger()
    answer = await visitor.post(link, at=link, act="accept", code=code, username=username, password=PASSWORD)
    assert answer[:2] == (303, "/guest"), answer
    at.people[username] = visitor
    return visitor


async def decline(at: Office, link: str, code: str, reason: str = "OutsideArea") -> tuple[int, str]:
    status, _, page = await at.site.stranger().post(link, at=link, act="decline", code=code, reason=reason)
    return status, page


async def let_in(at: Office) -> int:
    one = await row(at)
    [[room]] = await at.sql("SELECT id FROM room WHERE uri = :uri", uri=one.room)
    place = f"/cases/{room}/guests/{one.id}"
    _, page = await at["noor"].get(place)
    kept = {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(kid|shown)" value="([^"]*)"', page)}
    return (await at["noor"].post(place, at="/settings", **kept, same="yes"))[0]


async def acts(at: Office, case: str) -> list[str]:
    found = await at.sql("SELECT action FROM room_entry WHERE room_id = :id AND action LIKE 'referral.%' ORDER BY seq", id=case)
    return [str(one[0]).removeprefix("referral.") for one in found]
