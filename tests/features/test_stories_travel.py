"""Stories at partners: what they may be used for comes with them, and they go when the person takes them back."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.features.resources.stories import code, ending, telling
from fedcollab.features.resources.stories.shelf import Draft
from fedcollab.features.resources.stories.telling import Agreed
from fedcollab.features.resources.stories.words import CHECKS
from tests.nodes import Here, befriend, running, until

BOTH = (("Learning", "OurLibrary"), ("Learning", "PartnerLibraries"), ("Research", "PartnerLibraries"))
WORDS = "They kept my papers"


async def second(here: Here) -> Viewer:
    """Another member, who has written nothing yet."""
    made = await here.write(lambda session, node: actors.create_own(session, node, actors.PERSON, username="amal", name="Amal B."))
    return Viewer(here.viewer.organisation_id, made.id, frozenset({"member"}), made.name)


async def test_a_story_goes_from_a_partner_when_the_person_takes_it_back_and_who_has_erased_it_is_shown(tmp_path: Path) -> None:
    async with running(tmp_path, "Meridian Outreach", "Tamarind Circle") as (one, other):
        await befriend(one, other)
        agreed = Agreed("Retold", "Person", "Written", one.kernel.node.now(), BOTH)
        story_id, secret = await one.write(telling.write, await second(one), Draft("Two years", WORDS, "en"), agreed)
        await one.write(telling.check, one.viewer, story_id, set(CHECKS), "TLP:GREEN")
        there = await until("the story is there", lambda: other.sql("SELECT html, uses FROM resource"))
        assert WORDS in there[0][0]
        assert "Research" in there[0][1]

        hashed = code.read(secret)
        await one.write(ending.take_back, hashed, [("Learning", "OurLibrary"), ("Learning", "PartnerLibraries")])
        gone = "SELECT 1 FROM resource WHERE uses NOT LIKE '%Research%' AND deleted_at IS NULL"
        await until("one use has ended there", lambda: other.sql(gone))

        await one.write(ending.take_back, hashed, [])
        await until(
            "it has gone there", lambda: other.sql("SELECT 1 FROM resource WHERE deleted_at IS NOT NULL AND html = '' AND uses IS NULL")
        )
        standing = await until("the partner has confirmed", lambda: _confirmed(one, hashed))
        assert [asked.name for asked in standing.asked] == ["Tamarind Circle"]
        for node in (one, other):
            assert not await node.read(_still_says, WORDS)


async def _confirmed(here: Here, hashed: str) -> ending.Standing | None:
    found: ending.Standing = await here.read(ending.look, here.kernel.node, hashed)
    return found if found.asked and found.asked[0].confirmed_at else None


def _still_says(session: Any, words: str) -> list[str]:
    """The tables in which some column still holds these words."""
    tables = session.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'search_words%'")).all()
    found = []
    for table in tables:
        rows = session.execute(sa.text(f"SELECT * FROM {table}")).all()
        found += [table] if any(words in str(value) for row in rows for value in row) else []
    return found
