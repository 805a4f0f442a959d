"""Shows how a partner's person's key is compared by phone: the same words on both people's pages, a changed key listed and used by nobody
until a keeper or caseworker has said that they are the same."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access.models import AuditEntry
from fedcollab.actors import service as actors
from fedcollab.actors.models import PARTNER, PERSON, Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import new_id
from fedcollab.federation import activitystreams as ap
from fedcollab.sealing import pairs, people, state, words
from fedcollab.sealing.pairs import PersonPrivate
from tests.rows import START, organisation, quick_keys
from tests.web import Site, Visitor, site

URI = "https://far.example/people/1"


@dataclass
class Far:
    """A node where cases are on; Mila works on cases, Daan does not; Zoe is a partner's."""

    site: Site
    zoe: str
    mila: Visitor
    daan: Visitor

    async def says(self, private: PersonPrivate) -> None:
        """Zoe's organisation says that this is her key."""

        def work(session: Any, node: Node) -> None:
            document = {ap.PERSON_KEY: people.said(URI, private.public, None)}
            session.execute(sa.update(Actor).where(Actor.id == self.zoe).values(document=document))
            node.named(session, self.zoe)

        await self.site.write(work)

    async def key(self) -> str:
        found = await self.site.kernel.database.read(people.current, self.zoe)
        return found.kid if found else ""

    async def confirm(self, who: Visitor, kid: str, **more: str) -> tuple[int, str, str]:
        return await who.post(f"/people/{self.zoe}/words", kid=kid, **more)


@pytest.fixture
async def far(tmp_path: Path) -> AsyncIterator[Far]:
    with quick_keys():
        async with site(tmp_path) as found:
            await found.write(state.turn_on, None)
            mila, daan = await found.member("mila", "member", "caseworker"), await found.member("daan")

            def zoe(session: Any) -> str:
                org, row_id = organisation(session, "far.example"), new_id(START)
                row = dict(id=row_id, uri=URI, kind=PERSON, username="zoe", name="Zoe", host="far.example", organisation_id=org, inbox=URI)
                session.execute(sa.insert(Actor).values(**row, known=PARTNER, document={}, created_at=START, updated_at=START))
                return row_id

            yield Far(found, await found.kernel.database.write(zoe), mila, daan)


@pytest.mark.rule("P6")
async def test_a_changed_key_is_used_by_nobody_until_a_caseworker_has_heard_the_words(far: Far) -> None:
    one, two = pairs.generate(), pairs.generate()
    await far.says(one)
    assert "Nobody" in (await far.mila.get("/changed-keys"))[1]
    await far.says(two)
    assert await far.key() == ""
    text = (await far.mila.get("/changed-keys"))[1]
    assert ("Zoe" in text, f'href="/people/{far.zoe}/words"' in text) == (True, True)
    text = (await far.mila.get(f"/people/{far.zoe}/words"))[1]
    assert " · ".join(words.of_one(URI, two.public).words) in text
    status, _, text = await far.confirm(far.mila, two.public.kid)
    assert (status, "Say that you have heard" in text, await far.key()) == (422, True, "")
    status, _, text = await far.confirm(far.mila, one.public.kid, same="yes")
    assert (status, "another key meanwhile" in text, await far.key()) == (409, True, "")
    assert (await far.confirm(far.mila, two.public.kid, same="yes"))[:2] == (303, f"/people/{far.zoe}/words")
    assert await far.key() == two.public.kid
    text = (await far.mila.get(f"/people/{far.zoe}/words"))[1]
    assert "Compared by Mila" in re.sub(r"<[^>]+>", "", text)
    assert "Nobody" in (await far.mila.get("/changed-keys"))[1]

    def acts(session: Any) -> list[str]:
        return list(session.scalars(sa.select(AuditEntry.action).where(AuditEntry.action.startswith("key.confirm"))))

    assert await far.site.kernel.database.read(acts) == ["key.confirm"]


async def test_who_works_on_no_case_finds_none_of_it(far: Far) -> None:
    key = pairs.generate()
    await far.says(key)
    for path in ("/changed-keys", f"/people/{far.zoe}/words", f"/people/{far.daan.viewer.person_id}/words"):
        assert (await far.daan.get(path))[0] == 404, path
    assert (await far.confirm(far.daan, key.public.kid, same="yes"))[0] == 404
    assert (await far.mila.get(f"/people/{far.daan.viewer.person_id}/words"))[0] == 404, "nor of our own people"
    assert "Compare by phone" in (await far.mila.get(f"/people/{far.zoe}"))[1]
    assert "Compare by phone" not in (await far.daan.get(f"/people/{far.zoe}"))[1]


async def test_both_people_see_the_same_words_and_that_a_node_could_lie_at_first(far: Far) -> None:
    theirs = pairs.generate()
    await far.says(theirs)
    await far.mila.post("/unlock", at="/unlock", password="four plain words here", next="/")
    mine = await far.site.kernel.database.read(people.current, far.mila.viewer.person_id)
    me = await far.site.kernel.database.read(actors.by_id, far.mila.viewer.person_id)
    assert mine is not None
    there = words.of_two((URI, theirs.public), (me.uri, mine.public))  # as Zoe's node reckons them
    text = (await far.mila.get(f"/people/{far.zoe}/words"))[1]
    assert (" · ".join(there.words) in text, "could lie about it" in text) == (True, True)
