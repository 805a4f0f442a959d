"""Shows what an admin reads of the queue and may do with it: who waits and why, what was given up, on record and for admins alone."""

import html
import re
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access.models import AuditEntry
from fedcollab.actors import service as actors
from fedcollab.base.clock import HOUR
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import delivery, outbox, queue
from fedcollab.federation.delivery import Outcome
from fedcollab.federation.models import PARKED, Delivery, InboxItem, Partner
from fedcollab.federation.partners import MOVES
from tests.features.conftest import House, house
from tests.rows import partner

__all__ = ["house"]
CLOCKS = "answered 401: the clocks differ by 122 minutes"


async def fill(house: House) -> None:
    """Two partners: of what goes to the first one is parked, one refused, one waits; the second says that the clocks differ."""
    node = house.site.kernel.node

    def work(session: Session) -> None:
        me = actors.own(session, node)
        for host in ("first.example", "second.example"):
            there = partner(session, node, host)
            for number in range(3):
                made = ap.activity("Create", outbox.new_uri(node), me.uri, f"https://home.example/posts/{number}")
                outbox.publish(session, node, me.id, made, to=[there.organisation_id], order_key=f"t{number}")
            if host == "first.example":
                delivery.mark(session, node, there.id, [Outcome(1, 400, "answered 400")], release=True)
                for _ in range(delivery.TRIES):
                    delivery.mark(session, node, there.id, [Outcome(2, 500, "answered 500")], release=True)
            session.execute(sa.update(Partner).where(Partner.id == there.id).values(next_try_at=node.now() + HOUR))
        session.execute(sa.update(Partner).where(Partner.host == "second.example").values(last_error=CLOCKS))
        row = dict(host="first.example", uri="u", sender_id=there.organisation_id, order_key="", body={"type": "Create"}, state=PARKED)
        session.execute(sa.insert(InboxItem).values(**row, attempts=8, next_try_at=0, reason="KeyError", received_at=node.now()))

    await house.site.kernel.database.write(work)


async def states(house: House, host: str = "first.example") -> list[str]:
    query = sa.select(Delivery.state).join(Partner).where(Partner.host == host).order_by(Delivery.seq)
    found: list[str] = await house.site.kernel.database.read(lambda session: list(session.scalars(query)))
    return found


async def act(house: House, act: str, **fields: str) -> None:
    status, where, _ = await house.admin.post("/admin/federation", at="/admin/federation", act=act, **fields)
    assert (status, where) == (303, "/admin/federation")


async def record(house: House) -> list[tuple[str, str]]:
    query = sa.select(AuditEntry.action, AuditEntry.subject).where(AuditEntry.action.like("queue.%")).order_by(AuditEntry.seq)
    return [tuple(row) for row in await house.site.kernel.database.read(lambda session: session.execute(query).all())]


@pytest.mark.rule("R5", "R8")
async def test_the_page_says_of_each_partner_what_waits_and_why_in_plain_words(house: House) -> None:
    await fill(house)
    status, page = await house.admin.get("/admin/federation")
    page = html.unescape(re.sub(r"<[^>]+>", "", page))
    assert status == 200
    for words in (
        "1 delivery waits",
        "1 delivery set aside",
        "1 delivery refused",
        "Set aside after 12 tries",
        "Their node fails on it (error 500)",
        "Their node could not read it or does not take it (answer 400)",
        "The clocks of both nodes differ by 122 minutes",
        "KeyError",
        "3 deliveries wait",
    ):
        assert words in page, words
    assert "probably the clock of this machine" not in page


@pytest.mark.rule("R8")
async def test_where_several_partners_say_that_the_clocks_differ_it_is_ours(house: House) -> None:
    await fill(house)
    await house.site.kernel.database.write(lambda session: session.execute(sa.update(Partner).values(last_error=CLOCKS)))
    assert "probably the clock of this machine" in (await house.admin.get("/admin/federation"))[1]


async def test_what_was_given_up_is_counted_in_every_admins_menu_and_in_no_members(house: House) -> None:
    await fill(house)
    assert "3 to look at" in (await house.admin.get("/admin/federation"))[1]
    assert "3 to look at" in (await house.admin.get("/"))[1]
    member = await house.site.member("daan")
    assert "/admin/federation" not in (await member.get("/"))[1]
    for status in ((await member.get("/admin/federation"))[0], (await member.post("/admin/federation", act="drop"))[0]):
        assert status == 404
    assert await states(house) == ["refused", "parked", "waiting"]


async def test_one_delivery_or_all_are_sent_again_or_put_away_on_record(house: House) -> None:
    await fill(house)
    await act(house, "retry", partner="first.example", seq="1")
    assert await states(house) == ["waiting", "parked", "waiting"]
    await act(house, "retry", partner="first.example")
    assert await states(house) == ["waiting", "waiting", "waiting"]
    await house.site.kernel.database.write(lambda session: session.execute(sa.update(Delivery).values(state=PARKED)))
    await act(house, "drop", partner="first.example", seq="3")
    assert await states(house) == ["parked", "parked", "dropped"]
    await act(house, "drop", partner="first.example")
    assert (await states(house), await states(house, "second.example")) == (["dropped"] * 3, ["parked"] * 3)
    expected = [("retry", "1"), ("retry", "(1)"), ("drop", "3"), ("drop", "(2)")]
    assert await record(house) == [(f"queue.{verb}", f"first.example {what}") for verb, what in expected]


async def test_what_came_in_and_failed_is_tried_again_or_put_away(house: House) -> None:
    await fill(house)

    async def items() -> list[tuple[str, Any]]:
        query = sa.select(InboxItem.state, InboxItem.body)
        return [tuple(row) for row in await house.site.kernel.database.read(lambda session: session.execute(query).all())]

    await act(house, "drop-arrived", item="1")
    assert await items() == [("dropped", {})]
    await act(house, "retry-arrived")
    assert await items() == [("dropped", {})], "what was put away stays away"
    assert [action for action, _ in await record(house)] == ["queue.drop", "queue.retry"]


async def test_a_pause_holds_back_one_partner_or_all_and_nothing_is_lost(house: House) -> None:
    await fill(house)
    database, node = house.site.kernel.database, house.site.kernel.node

    async def due() -> set[str]:
        def work(session: Session) -> set[str]:
            queue.now(session, node)
            found = {host for _, host in delivery.lease(session, node.now())}
            delivery.release_all(session)
            return found

        return await database.write(work)

    await act(house, "pause", partner="first.example")
    assert await due() <= {"second.example"}
    await act(house, "pause")
    assert await due() == set()
    await act(house, "resume")
    assert await states(house, "second.example") == ["waiting"] * 3
    assert [action for action, _ in await record(house)] == ["queue.pause", "queue.pause", "queue.resume"]


async def test_a_form_without_a_known_act_changes_nothing(house: House) -> None:
    await fill(house)
    assert (await house.admin.post("/admin/federation", at="/admin/federation", act="shred"))[0] == 400
    assert (await house.admin.post("/admin/federation", at="/admin/federation", act="drop", partner="no.example"))[0] == 404
    assert await states(house) == ["refused", "parked", "waiting"]


@pytest.mark.parametrize("state", list(MOVES))
async def test_the_page_opens_whatever_is_left_for_a_partner_in_whichever_state(house: House, state: str) -> None:
    await fill(house)
    await house.site.kernel.database.write(lambda session: session.execute(sa.update(Partner).values(state=state)))
    status, page = await house.admin.get("/admin/federation")
    assert status == 200
    words = {"outside": "Outside, not a partner", "left": "Left", "suspended": "Suspended", "applied": "Not approved yet"}
    assert words.get(state, "first.example") in page
    assert ('value="now"' in page.split("first.example", 1)[1].split("</li>", 1)[0]) is (state in ("admitted", "outside"))
