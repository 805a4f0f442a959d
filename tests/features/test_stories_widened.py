"""Shows that changed words of a story let more people read it only by a moderator's word and for a reason, on record as a resource's is."""

from typing import Any

import pytest
import sqlalchemy as sa
from multidict import MultiDict

from fedcollab.base.errors import Forbidden
from fedcollab.features.resources import notes
from fedcollab.features.resources.checking import Wrong
from fedcollab.features.resources.stories import telling
from fedcollab.features.resources.stories.words import CHECKS, PUBLIC
from tests.web import Visitor

from .conftest import House
from .test_stories import CLEAR, DRAFT, GREEN, STRICT, agreed, resource, written

ALL = (("Learning", "OurLibrary"), ("Learning", "PartnerLibraries"), ("Learning", PUBLIC))
TABLES = ("resource", "story", "label_change", "audit_entry", "activity", "delivery", "country_note")


async def facts(house: House) -> dict[str, list[str]]:
    def read(session: Any) -> dict[str, list[str]]:
        return {name: sorted(map(repr, session.execute(sa.text(f"SELECT * FROM {name}")).all())) for name in TABLES}

    return await house.site.kernel.database.read(read)


async def published(house: House, label: str) -> tuple[str, Visitor, Visitor]:
    """A story under a label, other words of which wait; who wrote it, and who checked it."""
    writer, checker = await house.site.member("amal"), await house.site.member("daan")
    story_id, _ = await written(house, writer, *ALL)
    await house.site.write(telling.check, checker.viewer, story_id, set(CHECKS), label)
    await house.site.write(telling.change, writer.viewer, story_id, DRAFT)
    return story_id, writer, checker


async def changes(house: House) -> list[tuple[str, ...]]:
    query = sa.text("SELECT before, after, reason FROM label_change ORDER BY at, id")
    return await house.site.kernel.database.read(lambda session: [tuple(row) for row in session.execute(query)])


@pytest.mark.rule("P8")
@pytest.mark.parametrize(("before", "after"), [(GREEN, CLEAR), (STRICT, GREEN), (STRICT, CLEAR)])
async def test_a_story_is_widened_by_a_moderator_with_a_reason_and_by_nobody_else(house: House, before: str, after: str) -> None:
    story_id, writer, checker = await published(house, before)
    boss = await house.site.member("boss", "moderator", "member")
    there = await facts(house)
    for who, reason, error in (
        (checker, "The person asks for it.", Forbidden),
        (writer, "The person asks for it.", Forbidden),
        (boss, "", Wrong),
        (boss, " \n", Wrong),
    ):
        with pytest.raises(error):
            await house.site.write(telling.check, who.viewer, story_id, set(CHECKS), after, reason=reason)
        assert await facts(house) == there
    await house.site.write(telling.check, boss.viewer, story_id, set(CHECKS), after, reason="The person asks for it.")
    assert (await resource(house, story_id))["label"] == after
    assert await changes(house) == [(before, after, "The person asks for it.")]
    acts = sa.text("SELECT action FROM audit_entry ORDER BY seq DESC LIMIT 2")
    assert await house.site.kernel.database.read(lambda session: set(session.scalars(acts))) == {"story.check", "resource.widen"}


@pytest.mark.rule("P8")
async def test_other_words_under_the_same_label_or_a_narrower_one_take_no_moderator_and_no_reason(house: House) -> None:
    story_id, writer, checker = await published(house, CLEAR)
    await house.site.write(telling.check, checker.viewer, story_id, set(CHECKS), CLEAR)
    assert await changes(house) == []
    await house.site.write(telling.change, writer.viewer, story_id, DRAFT)
    await house.site.write(telling.check, checker.viewer, story_id, set(CHECKS), STRICT)
    assert await changes(house) == [(CLEAR, STRICT, "")]
    await house.site.write(telling.ask_again, checker.viewer, story_id, agreed(house, *ALL))
    assert (await resource(house, story_id))["label"] == STRICT, "that the person says yes again widens nothing"
    await house.site.write(telling.change, writer.viewer, story_id, DRAFT)
    with pytest.raises(Forbidden):
        await house.site.write(telling.check, checker.viewer, story_id, set(CHECKS), CLEAR, reason="It was so.")


@pytest.mark.rule("P8")
async def test_the_page_offers_wider_labels_and_asks_why_only_where_that_is_to_be_done(house: House) -> None:
    story_id, _, checker = await published(house, GREEN)
    boss = await house.site.member("boss", "moderator", "member")
    at = f"/stories/{story_id}"
    for who, offered in ((checker, False), (boss, True)):
        text = (await who.get(at))[1]
        assert (f'value="{CLEAR}"' in text, 'name="reason"' in text) == (offered, offered)
        assert f'value="{GREEN}" checked' in text
    form: MultiDict[str] = MultiDict([("token", await boss.token(at)), ("label", CLEAR), *(("check", name) for name in CHECKS)])
    status, _, text = await boss.ask("POST", f"{at}/check", form)
    assert (status, 'id="reason-error"' in text or 'href="#reason"' in text, f'value="{CLEAR}" checked' in text) == (422, True, True)
    assert (await resource(house, story_id))["label"] == GREEN
    form.add("reason", "The person asks for it.")
    status, headers, _ = await boss.ask("POST", f"{at}/check", form)
    assert status == 303
    assert "The person asks for it." in (await checker.get(headers["Location"]))[1]
    assert "The person asks for it." not in (await house.site.stranger().get(headers["Location"]))[1]


async def test_what_we_have_said_of_a_story_that_was_ours_alone_goes_out_with_it(house: House) -> None:
    story_id, _, checker = await published(house, STRICT)
    boss = await house.site.member("boss", "moderator", "member")
    note = await house.site.write(notes.add, checker.viewer, (await resource(house, story_id))["id"], country="KH", text="Read it first.")
    told = sa.text("SELECT type FROM activity WHERE object_uri LIKE :note").bindparams(note=f"%{note}")
    assert await house.site.kernel.database.read(lambda session: list(session.scalars(told))) == []
    await house.site.write(telling.check, boss.viewer, story_id, set(CHECKS), GREEN, reason="The person asks for it.")
    assert await house.site.kernel.database.read(lambda session: list(session.scalars(told))) == ["Create"]
