"""Shows that nothing is lost of what waits for a partner while our Organization's keys change: what they had proved is proved anew."""

from pathlib import Path

import sqlalchemy as sa

from fedcollab.admin import trust
from fedcollab.base.database import wake
from fedcollab.base.session import Session
from fedcollab.features.discussions import service
from fedcollab.features.members import service as members
from fedcollab.federation import catchup, inbox, succession
from fedcollab.federation.models import EARLY, InboxItem
from tests import nodes
from tests.nodes import Here, until

from .test_key_rotation import _in_use, _viewer, offered, opened, sees


async def refused(here: Here) -> list[tuple[object, ...]]:
    """What came in and was not believed, or failed here."""
    return await here.sql("SELECT reason FROM inbox_item WHERE state IN ('refused', 'parked')")


async def disbelieved(here: Here) -> list[tuple[object, ...]]:
    """The same, where something before it has not come: it need not be tried any longer."""
    await here.read_write(no_longer_early)
    return await refused(here)


def no_longer_early(session: Session) -> None:
    session.execute(sa.update(InboxItem).where(InboxItem.state == EARLY).values(attempts=inbox.EARLY_TRIES, next_try_at=0))
    wake(session, "inbox")


async def test_what_waits_while_the_keys_change_is_believed_when_it_comes(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "A", "B") as (a, b):
        at_a, _ = await opened(a, b)
        made = await a.write(succession.rotate, a.viewer)
        await until("the offer", lambda: offered(b))
        await a.write(trust.pause, a.viewer, b.url)
        fresh = await a.write(members.add_member, None, username="nina", name="Nina", roles=["member"])
        nina = await _viewer(a, fresh.person_id)
        posted = await a.write(service.post_reply, nina, at_a, text="by somebody whom B has not met")
        await b.write(trust.accept_keys, b.viewer, a.url)
        await until("A signs with the new keys", lambda: _in_use(a, made.successor))
        await a.write(trust.resume, a.viewer, b.url)
        await until("all is sent", lambda: _sent(a))
        await b.quiet()
        assert await refused(b) == []
        assert await sees(b, posted.uri)
        assert await b.sql("SELECT people FROM partner") == [(2,)]


async def test_a_newcomer_reads_what_was_written_before_the_keys_changed(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "A", "B") as (a, b):
        group = await a.group(history=True)
        fresh = await a.write(members.add_member, None, username="nina", name="Nina", roles=["member"])
        nina = await _viewer(a, fresh.person_id)
        posted = await a.write(service.post_thread, nina, group.id, title="T", text="long ago")
        await a.write(succession.rotate, a.viewer)
        await a.write(succession.turn_when_due)
        await nodes.befriend(a, b)
        await until("what was written before", lambda: sees(b, posted.uri))
        assert await refused(b) == []


async def _sent(here: Here) -> bool:
    return await here.sql("SELECT count(*) FROM delivery WHERE state <> 'done'") == [(0,)]


async def test_who_catches_up_before_accepting_the_new_keys_skips_nothing_that_they_prove(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "A", "B") as (a, b):
        await opened(a, b)
        await a.write(trust.pause, a.viewer, b.url)
        await a.write(succession.rotate, a.viewer)
        await a.write(succession._turn)
        await a.write(members.add_member, None, username="nina", name="Nina", roles=["member"])
        await b.write(catchup.want)
        await until("B has other keys before it", lambda: offered(b))
        await until("it says so", lambda: b.sql("SELECT 1 FROM partner WHERE resync_error LIKE '%keys%'"))
        assert await b.sql("SELECT state, people FROM partner") == [("admitted", 1)]
        await b.write(trust.accept_keys, b.viewer, a.url)
        await until("nothing is missing", lambda: b.sql("SELECT 1 FROM partner WHERE resync_at IS NULL AND people = 2"))
        await b.quiet()
        assert await refused(b) == []


async def test_what_was_refused_for_keys_not_accepted_yet_is_asked_for_again_after_the_yes(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "A", "B") as (a, b):
        at_a, _ = await opened(a, b)
        await a.write(succession.rotate, a.viewer)
        await until("the offer", lambda: offered(b))
        await a.write(succession._turn)
        fresh = await a.write(members.add_member, None, username="nina", name="Nina", roles=["member"])
        posted = await a.write(service.post_reply, await _viewer(a, fresh.person_id), at_a, text="by somebody new")
        await until("B does not believe it", lambda: disbelieved(b))
        assert not await sees(b, posted.uri)
        await b.write(trust.accept_keys, b.viewer, a.url)
        await until("the new person's post", lambda: sees(b, posted.uri))
        await until("all is sent", lambda: _sent(a))
        await b.quiet()
        assert await refused(b) == []
