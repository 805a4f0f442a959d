"""What tests of a case's pages begin with: a case with a potential victim and a suspect, all of whose parts Noor knows."""

import re
from typing import Any

from fedcollab.features.cases import needs
from fedcollab.features.cases.handles import handle
from fedcollab.features.cases.people import Person
from fedcollab.sealing import holding

from .desks import Office
from .entries import P, S

LINK = re.compile(r'(?:href|action)="([^"#]+)"')


class Desk:
    """A case and the addresses of its pages."""

    def __init__(self, office: Office, case_id: str) -> None:
        self.office, self.id, self.noor = office, case_id, office["noor"]

    @property
    def now(self) -> int:
        return self.office.site.kernel.node.now()

    @property
    def path(self) -> str:
        return f"/cases/{self.id}"

    def person(self, code: str = P) -> str:
        return f"{self.path}/people/{handle(self.id, code)}"

    def new(self, kind: str, code: str = "") -> str:
        return f"{self.path}/new/{kind}" + (f"?person={handle(self.id, code)}" if code else "")

    def act(self, name: str, entry_id: str) -> str:
        return f"{self.path}/{name}/{handle(self.id, entry_id)}"

    async def page(self, path: str = "", name: str = "noor") -> str:
        status, page = await self.office[name].get(path or self.path)
        assert status == 200, path
        return page

    async def join(self, name: str, *parts: str) -> None:
        """Somebody more is on the case, and needs to know these parts."""
        person_id = self.office[name].viewer.person_id
        await self.office.unlocked("noor", holding.assign, self.id, person_id)
        if parts:
            await self.office.do("noor", needs.give, self.id, person_id, parts)

    async def case(self, name: str = "noor") -> Any:
        return (await self.office.desk(name, self.id)).case

    async def last(self, kind: str, name: str = "noor") -> Any:
        """The last item of a kind in the timeline."""
        return next(shown for shown in (await self.case(name)).timeline[::-1] if shown.kind == kind)

    async def every_page(self, name: str, most: int = 200) -> dict[str, str]:
        """All pages of the case that somebody comes to by its links: {address: page}."""
        found, waiting = dict[str, str](), [self.path]
        for path in waiting:  # which grows meanwhile
            if path not in found and len(found) < most:
                status, _, page = await self.office[name].ask("GET", path)
                if status == 200:
                    found[path] = page
                    waiting += [one for one in LINK.findall(page) if one.startswith(self.path)]
        return found


async def desk_with_people(office: Office) -> Desk:
    case_id = await office.case("noor")
    await office.do("noor", needs.begin, case_id, [office["noor"].viewer.person_id])
    desk = Desk(office, case_id)
    await office.say("noor", case_id, Person(at=desk.now, person=P, role="PotentialVictim"))
    await office.say("noor", case_id, Person(at=desk.now, person=S, role="Suspect", ground="AuthorisedByLaw", law="Code, 4"))
    return desk
