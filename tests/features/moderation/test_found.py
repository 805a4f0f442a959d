"""Shows that search follows what becomes of a post and of a name, in the same commit, and keeps no word of what was taken away."""

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.access.models import Audience
from fedcollab.access.viewer import ANYBODY, Viewer
from fedcollab.base.clock import new_id
from fedcollab.base.database import open_database
from fedcollab.base.model import Model
from fedcollab.base.session import Session
from fedcollab.features.discussions import groups, reading, service
from fedcollab.features.discussions.finding import STOCK
from fedcollab.features.discussions.moderation import acting
from fedcollab.features.members import service as members
from fedcollab.search import filling, index, state
from fedcollab.search.finding import Asked, find
from fedcollab.search.index import Entry
from fedcollab.search.models import SearchEntry
from tests.rows import START, node, organisation

from .conftest import Home


def found(here: Home, q: str, viewer: Viewer | None = None, **more: tuple[str, ...]) -> list[tuple[str, str]]:
    """(kind, title) of the hits."""
    page = find(here.session, viewer or here.mona, Asked(q, **more))
    return [(hit.kind, "".join(piece.text for piece in hit.title)) for hit in page.rows]


def test_a_conversation_is_found_by_its_title_and_text_and_an_answer_by_its_own_under_that_title(here: Home) -> None:
    posted = here.thread(text="words of daan")
    here.do(service.post_reply, here.mona, posted.thread_id, text="an **answer** of mona")
    assert found(here, "question") == [("thread", "A question")]
    assert found(here, "daan", kinds=("thread",)) == [("thread", "A question")]
    assert found(here, "answer") == [("post", "A question")]
    assert found(here, "words answer") == []


def test_a_change_is_found_by_its_new_words_alone(here: Home) -> None:
    posted = here.thread(text="an oldword")
    here.do(service.edit, here.daan, posted.post_id, text="a newword")
    assert (found(here, "oldword"), found(here, "newword")) == ([], [("thread", "A question")])


@pytest.mark.rule("P10")
def test_a_deleted_post_is_found_by_nothing_and_its_title_by_nothing_either(here: Home) -> None:
    posted = here.thread(text="a secretword")
    here.do(service.post_reply, here.mona, posted.thread_id, text="an answer")
    here.do(service.delete, here.daan, posted.post_id)
    assert (found(here, "secretword"), found(here, "question")) == ([], [])
    assert found(here, "answer") == [("post", "")]


def test_what_moderators_remove_or_hide_is_found_by_nobody_until_it_is_restored(here: Home) -> None:
    posted = here.thread(text="a badword")
    here.do(acting.remove, here.mona, posted.post_id, "against our rules")
    assert (found(here, "badword"), found(here, "badword", here.daan), found(here, "question")) == ([], [], [])
    here.do(acting.restore, here.mona, posted.post_id, "it was right after all")
    assert found(here, "badword") == [("thread", "A question")]


def test_a_group_that_is_narrowed_is_public_no_longer_with_all_that_is_in_it(here: Home) -> None:
    group = here.group("TLP:CLEAR")
    here.do(service.post_thread, here.daan, group.id, title="Public question", text="public words")
    assert found(here, "public", ANYBODY) == [("thread", "Public question")]
    assert found(here, "leads", ANYBODY) == [("group", "Leads")]
    here.do(groups.narrow, here.mona, group.id)
    assert (found(here, "public", ANYBODY), found(here, "leads", ANYBODY)) == ([], [])
    assert found(here, "public") == [("thread", "Public question")]


def test_a_partner_taken_out_of_a_group_finds_nothing_of_it_from_then_on(here: Home) -> None:
    posted = here.thread(text="words for partners")
    there = Viewer(here.partner_id, new_id())
    audience = here.session.scalar(
        sa.select(Audience.id).where(Audience.group_id == reading.thread_row(here.session, here.mona, posted.thread_id).group_id)
    )
    policy.admit(here.session, str(audience), here.partner_id, since=0)
    assert found(here, "partners", there) == [("thread", "A question")]
    here.do(groups.expel_partner, here.partner_id)
    assert found(here, "partners", there) == []


def test_a_member_is_found_by_the_name_they_have_now_and_not_once_their_account_has_ended(here: Home) -> None:
    made = here.do(members.add_member, None, username="ruth", name="Ruth Okello", roles=["member"])
    viewer = Viewer(here.mona.organisation_id, made.person_id, frozenset({"member"}), "Ruth Okello")
    assert found(here, "okello") == [("person", "Ruth Okello")]
    here.do(members.set_profile, viewer, name="Ruth Achieng", summary="Interpreter for Acholi", language="", time_zone="")
    assert (found(here, "okello"), found(here, "achieng"), found(here, "acholi")) == (
        [],
        [("person", "Ruth Achieng")],
        [("person", "Ruth Achieng")],
    )
    here.do(members.add_member, None, username="ilse", name="Ilse", roles=["admin", "member"])
    here.do(members.disable, None, made.person_id)
    assert found(here, "achieng") == []


def test_what_was_stored_before_there_was_an_index_comes_into_it_newest_first_and_from_where_it_stopped(
    here: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted = here.thread(text="first words")
    for number in range(5):
        here.do(service.post_reply, here.mona, posted.thread_id, text=f"answer number{number}")
    filling.begin_anew(here.session, here.node)
    assert found(here, "question") == []
    monkeypatch.setattr(filling, "AT_ONCE", 2)
    seen = []
    while filling.step(here.session, here.node, [STOCK]):
        seen.append(len(found(here, "answer")))
        assert filling.look(here.session, [STOCK]).waiting or seen[-1] == 5
    assert (seen[-1], sorted(seen)) == (5, seen)
    assert found(here, "daan") == [("person", "Daan")]
    assert found(here, "question first") == [("thread", "A question")]
    assert filling.look(here.session, [STOCK]) == filling.Filled(
        here.session.scalar(sa.select(sa.func.count()).select_from(SearchEntry)), (), None, None
    )
    assert filling.step(here.session, here.node, [STOCK]) is False, "and then there is nothing more to do"


def test_a_slow_disk_gets_something_in_with_each_unit(here: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    posted = here.thread(text="first words")
    here.do(service.post_reply, here.mona, posted.thread_id, text="an answer")
    filling.begin_anew(here.session, here.node)
    monkeypatch.setattr(filling, "UNIT", 0.0)  # reading alone takes longer
    units = 0
    while filling.step(here.session, here.node, [STOCK]):
        units += 1
        assert units < 50, "it never ends"
    assert found(here, "answer") == [("post", "A question")]


def test_words_that_are_made_in_another_way_are_all_made_anew_while_the_old_ones_are_found(
    here: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.thread(text="first words")
    while filling.step(here.session, here.node, [STOCK]):
        pass
    monkeypatch.setattr("fedcollab.search.words.unicode_version", lambda: "99.0")
    assert filling.step(here.session, here.node, [STOCK]) is True
    assert found(here, "first") == [("thread", "A question")]
    while filling.step(here.session, here.node, [STOCK]):
        pass
    assert found(here, "first") == [("thread", "A question")]


def test_one_thing_that_cannot_be_put_in_does_not_hold_up_those_after_it(here: Home) -> None:
    here.thread(text="good words")
    broken = Entry("post", "x", new_id(), "TLP:GREEN", here.mona.organisation_id, START, "/x", text="broken", year="no year")  # type: ignore[arg-type]

    def batch(session: object, below: str, number: int) -> list[tuple[str, Entry | None]]:
        return [("1", broken)] if not below else []

    here.session.execute(sa.text("PRAGMA foreign_keys = ON"))
    while filling.step(here.session, here.node, [filling.Stock("odd", batch), STOCK]):
        pass
    assert found(here, "good") == [("thread", "A question")]


@pytest.mark.rule("P10")
async def test_the_words_of_what_was_deleted_are_gone_from_the_file_itself(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    database, secret = open_database(f"sqlite:///{path}"), "raresecretword"
    Model.metadata.create_all(database.engine)
    at = node()

    def fill(session: Session, number: int, text: str) -> None:
        ours = session.scalar(sa.text("SELECT id FROM actor")) or organisation(session, "ours.example")
        filled = dict(audience_id=None, label="TLP:GREEN", organisation_id=str(ours), posted_at=START + number, path="/")
        index.put(session, Entry("post", str(number), text=text, **filled))

    for number in range(40):
        await database.write(fill, number, f"many other words {number}" + (f" {secret}" if number == 20 else ""))

    def there() -> int:
        with sqlite3.connect(path) as raw:
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.close()
        return path.read_bytes().count(secret.encode())

    assert there() > 0
    await database.write(index.remove, "post", "20")
    assert there() > 0, "FTS5 of this version keeps a deleted word until it rewrites its pages"
    line = await database.read(state.of, state.DELETED)
    assert line is not None
    later = line.at + filling.CLEARED_AFTER
    at.clock.at = later - 1  # type: ignore[attr-defined]  # a clock that is set
    assert (await database.read(filling.look, [])).deleted_since == line.at
    assert await database.write(filling.clear, at) is False, "not yet"
    at.clock.at = later  # type: ignore[attr-defined]  # a clock that is set
    while await database.write(filling.clear, at):
        pass
    assert there() == 0
    assert (await database.read(filling.look, [])).deleted_since is None
    database.close()
