"""Two nodes work one case, a referral and a sealed group: what is written there stands in clear in no file of either, nor in backups."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from fedcollab.app import make_kernel
from fedcollab.base import config
from fedcollab.base.paths import NodeFiles
from fedcollab.features.cases import needs
from fedcollab.features.cases.handles import handle
from fedcollab.features.cases.kinds import ALL, document
from fedcollab.features.cases.people import Person
from fedcollab.features.guests import service as guests
from fedcollab.features.referrals import service as referrals
from fedcollab.features.rooms import acting
from fedcollab.sealing import holding
from tests.features.cases.browser import Filled
from tests.features.cases.desks import Office, partners
from tests.features.cases.entries import P, S
from tests.features.cases.shared import Shared
from tests.features.cases.test_access_pages import invited, waits
from tests.features.cases.test_entry_pages import FORMS
from tests.features.referrals.handed import PREVIEW
from tests.nodes import until as until_async
from tests.web import Site, Visitor

from .browserless import Browser
from .canaries import Canary, filled, found, raw_forms
from .cased import posted
from .databases import change, query
from .processes import Process, until

SENT = [kind for kind in FORMS if kind not in ("person", "closed")]  # closed is the end of all forms
CONTENTS = 100_000


@dataclass
class Worked:
    """One node as its own process, with temporary files of its own; Noor's browser there; what Noor and the keepers have in their hands."""

    node: Process
    browser: Browser
    office: Office
    temporary: Path
    backups: Path
    key: str = ""

    @property
    def places(self) -> list[Path]:
        return [self.node.place, self.temporary, self.backups]

    def serve(self) -> None:
        self.temporary.mkdir(parents=True)
        settings = self.node.place / "node.toml"
        settings.write_text(settings.read_text() + 'log_level = "debug"\n')
        self.key = self.node.json("backup", "key")["key"]
        self.node.environment = {"TMPDIR": str(self.temporary)}
        self.node.serve()

    def beside(self, work: Callable[[Office], Awaitable[Any]]) -> Any:
        """Something that is said through the services, on the database of the running node."""
        return asyncio.run(self._beside(work))

    async def _beside(self, work: Callable[[Office], Awaitable[Any]]) -> Any:
        kernel = make_kernel(config.load(self.node.place, {}), NodeFiles(self.node.place), patient=True)
        site = Site(kernel, self.node.place, None)  # type: ignore[arg-type]
        people = {name: Visitor(site, one.viewer) for name, one in self.office.people.items()}
        try:
            return await work(Office(site, people, self.office.keys))
        finally:
            await kernel.fetcher.close()
            kernel.database.close()
            kernel.node.ring.close()

    def fill_in(self, path: str, typed: Mapping[str, str | list[str]], answer: int = 303) -> str:
        """Sends the form of a page as a browser does; where it leads to, or the page that comes back."""
        got, _, page = self.browser.ask("GET", path)
        assert got == 200, (path, page)
        main = page.split("<main", 1)[1]
        sent = Filled(re.split(r'<form method="post"[^>]*>', main, maxsplit=1)[1].split("</form>", 1)[0]).sent
        sent |= {name: [said] if isinstance(said, str) else said for name, said in typed.items()}
        pairs: Any = [(name, value) for name, said in sent.items() for value in said]
        got, to, page = self.browser.ask("POST", path, pairs)
        assert got == answer, (path, page)
        return to or page

    def reads(self, path: str, word: str) -> None:
        def there() -> bool:
            change(self.node, "UPDATE key_request SET next_at = 0")  # or it waits a minute
            return word in self.browser.ask("GET", path)[2]

        until(f"it is read at {path}", there)

    def copied(self, place: Path) -> Path:
        """A backup of the node and its key ring, made by the command beside it and unpacked."""
        self.node.json("backup", "create", str(self.backups))
        key = place.with_name(place.name + ".key")
        key.write_text(self.key)
        self.node.command("restore", str(self.backups), str(place), "--key-file", str(key)).check_returncode()
        return place


async def begun(root: Path, canary: Canary) -> Shared:
    """A case of Meridian's that Kivuli has accepted, with the canary in its terms and in the ground of the sharing."""
    async with partners(root) as (one, other):
        case = await one.case("noor", purpose=canary.at("purpose"), law=canary.at("law"))
        await one.do("noor", needs.begin, case, [one["noor"].viewer.person_id])
        now = one.site.kernel.node.now()
        await one.say("noor", case, Person(at=now, person=P, role="PotentialVictim"))
        await one.say("noor", case, Person(at=now, person=S, role="Suspect", ground="AuthorisedByLaw", law=canary.at("suspect")))
        ground = {name: canary.at(name) for name in ("what", "why", "without_why")}
        assert (await invited(one, case, **ground))[0] == 303
        there = await waits(other)
        form = {"act": "accept", "person": other["noor"].viewer.person_id}
        assert (await other["noor"].post(f"/cases/{there}/answer", at=f"/cases/{there}/answer", **form))[0] == 303
        await until_async("they are in", lambda: other.sql("SELECT 1 FROM room WHERE id = :id AND state = 'open'", id=there))
        await other.keys_come()
        return Shared(one, other, case, there)


@pytest.fixture
def canary() -> Canary:
    return Canary()


@pytest.fixture
def work(tmp_path: Path, canary: Canary) -> Iterator[tuple[Worked, Worked, Shared]]:
    shared = asyncio.run(begun(tmp_path, canary))
    made = []
    try:
        for name, office in (("a", shared.one), ("b", shared.other)):
            node = Process(tmp_path / name / "node", int(office.site.kernel.node.settings.listen.rpartition(":")[2]))
            browser = Browser(node, dict(office["noor"].cookies))
            made.append(Worked(node, browser, office, tmp_path / name / "tmp", tmp_path / name / "backups"))
            made[-1].serve()
        yield made[0], made[1], shared
    finally:
        for one in made:
            one.node.kill()


def type_in(at: Worked, case: str, canary: Canary) -> None:
    """Each kind of entry in its own form; one that is refused; a search; a file."""
    for kind in SENT:
        about, typed, _ = FORMS[kind]
        said = {name: _with(value, canary, f"{kind}.{name}") for name, value in typed.items()}
        at.fill_in(f"/cases/{case}/new/{kind}" + (f"?person={handle(case, about)}" if about else ""), said)
    refused = at.fill_in(f"/cases/{case}/new/decision", {"what": canary.at("refused"), "why": "", "who": "Noor"}, 422)
    assert canary.word in refused
    token = at.browser.find_token(f"/cases/{case}")
    assert canary.word in at.browser.ask("POST", f"/cases/{case}/search", {"token": token, "q": canary.word})[2]
    content = (canary.at("content") + "\n").encode() * (CONTENTS // 50)
    fields = {"token": token, "picture": "bare", "about": canary.at("about")}
    assert posted(at.browser, f"/cases/{case}/files", fields, iter([content]), len(content), f"{canary.one}.txt") == 303


def _with(value: str | list[str], canary: Canary, where: str) -> str | list[str]:
    return value if isinstance(value, list) else re.sub(r"Canary\d", lambda _: canary.at(where), value)


def begin_group(at: Worked, canary: Canary) -> str:
    """The address of a sealed group with a conversation in it, by its forms."""
    to = at.fill_in("/sealed/new", {"name": canary.at("group"), "about": canary.at("about"), "label": "TLP:AMBER"}).removesuffix("/people")
    at.fill_in(f"{to}/start", {"title": canary.at("title"), "text": canary.at("post")})
    return to


async def said_by_services(at: Office, case: str, canary: Canary, other: str) -> list[bytes]:
    """Entries of every kind, a referral, a guest's preview; the secrets that open the case, which stand nowhere either."""
    made = [entry for kind in ALL for entry in filled(kind, canary, at.site.kernel.node.now())]
    await until_async("their key is known", lambda: at.sql("SELECT 1 FROM organisation_key WHERE organisation_id IS NOT NULL"))
    [(organisation,)] = await at.sql("SELECT id FROM actor WHERE uri = :uri", uri=other)
    contents = tuple(document(entry) for entry in made if entry.KIND in ("opened", "identity", "health"))
    preview = replace(PREVIEW, region=canary.word)
    await at.unlocked("noor", referrals.offer, referrals.HandOver(organisation, "2190-01-01", preview, contents, case))
    await at.do("noor", guests.invite, case, guests.Asked("Sara Lind", "Police", "LawEnforcement", preview=canary.at("guest")))
    for entry in made:
        await at.say("noor", case, entry)
    opened = await at.unlocked("noor", holding.open_room, case)
    files = [shown.entry.secret for shown in (await at.desk("noor", case)).case.files if shown.entry]
    return [one.raw for one in opened.secrets.values()] + [secret.raw for secret in files if secret]


def answered(one: Worked, other: Worked, shared: Shared, group: str, canary: Canary) -> None:
    """Kivuli reads the case, its file, the referral and the group, and writes in each."""
    case = f"/cases/{shared.there}"
    until("all of it has come", lambda: newest(one, shared.case) <= newest(other, shared.there), 40)
    other.reads(case, canary.word)
    file = until("its bytes are there", lambda: query(other.node, "SELECT id FROM sealed_file WHERE state = 'here'"))[0][0]
    assert canary.word in other.browser.ask("GET", f"{case}/files/{file}")[2]
    other.fill_in(f"{case}/new/message", {"text": canary.at("answer")})
    [came] = until("the referral is there", lambda: query(other.node, "SELECT id FROM referral WHERE box_at IS NOT NULL"))
    noor = other.office["noor"].viewer.person_id
    other.beside(lambda at: at.do("mila", referrals.accept, came[0], [noor]))
    row = group.rpartition("/")[2]
    uri = query(one.node, f"SELECT uri FROM room WHERE id = '{row}'")[0][0]
    one.beside(lambda at: at.unlocked("noor", acting.invite, row, other.office.me))
    asked = f"SELECT m.room_id FROM room_member m JOIN room r ON r.id = m.room_id WHERE r.uri = '{uri}' AND m.state = 'invited'"
    there = until("they are asked", lambda: query(other.node, asked))[0][0]
    other.beside(lambda at: at.unlocked("noor", acting.answer, there, [noor], yes=True))
    inside = f"SELECT 1 FROM room_member WHERE room_id = '{row}' AND organisation = '{other.office.me}' AND state = 'in'"
    until("they are in", lambda: query(one.node, inside))
    content = (canary.at("in a group's file") + "\n").encode() * (CONTENTS // 50)
    fields = {"token": one.browser.find_token(group), "title": canary.at("title"), "text": canary.at("to all")}
    assert posted(one.browser, f"{group}/start", fields, iter([content]), len(content), f"{canary.one}.txt") == 303
    other.reads(f"/sealed/{there}", canary.word)
    of_group = f"SELECT id FROM sealed_file WHERE room_id = '{there}' AND state = 'here'"
    file = until("the group's file is there", lambda: query(other.node, of_group))[0][0]
    assert canary.word in other.browser.ask("GET", f"/sealed/{there}/files/{file}")[2]


def say_openly(one: Worked, other: Worked, canary: Canary) -> None:
    """In an ordinary discussion, where whoever looks for it has to find it."""
    group = one.node.json("group", "add", "leads", "--name", "Leads", "--label", "TLP:GREEN")["uri"]
    until("the group is known", lambda: query(other.node, f"SELECT 1 FROM actor WHERE uri = '{group}'"))
    said = one.node.json("post", "leads", "--as", "noor", "--title", "Adverts", "--text", canary.word)["uri"]
    until("it has come", lambda: query(other.node, f"SELECT 1 FROM post WHERE uri = '{said}'"))


def newest(at: Worked, case: str) -> set[str]:
    """The messages under the newest case key, which both have."""
    rows = query(at.node, f"SELECT m.uri FROM sealed_message m JOIN room r ON r.id = m.room_id WHERE r.id = '{case}' AND m.ck = r.ck")
    return {uri for (uri,) in rows}


@pytest.mark.slow
@pytest.mark.rule("P4", "P14")
@pytest.mark.timeout(400)
def test_what_is_sealed_stands_in_clear_in_no_file_of_either_node_nor_in_their_backups(
    tmp_path: Path, work: tuple[Worked, Worked, Shared], canary: Canary
) -> None:
    one, other, shared = work
    type_in(one, shared.case, canary)
    group = begin_group(one, canary)
    secrets = one.beside(lambda at: said_by_services(at, shared.case, canary, other.office.me))
    assert len(secrets) > 1
    answered(one, other, shared, group, canary)
    needles = canary.needles() | {form for raw in secrets for form in raw_forms(raw)}
    open_words = Canary()
    say_openly(one, other, open_words)
    places = [place for at in (one, other) for place in at.places]
    assert found(places, needles) == []
    assert [path for path in found(places, open_words.needles()) if "/backups/" in path] == []
    unpacked = [at.copied(tmp_path / f"{at.node.place.parent.name}-again") for at in (one, other)]
    assert found([*places, *unpacked], needles) == [], "with the printed key, too"
    for at in (one, other):
        assert at.node.stop() == 0
    assert found(places, needles) == []
    seen = found([*places, *unpacked], open_words.needles())
    assert {Path(path.partition(":")[0]).relative_to(tmp_path).parts[0] for path in seen} == {"a", "b", "a-again", "b-again"}
