"""Referrals between real nodes: what the other side sees before it answers, who of them, what stays after a no, what comes with a yes."""

import asyncio
import dataclasses
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.base.errors import NotFound, Refused, Unavailable
from fedcollab.features.referrals import boxing, chores, erased, fetching, service
from fedcollab.features.referrals.models import Referral, ReferralWord
from fedcollab.features.referrals.preview import Preview
from fedcollab.features.referrals.words import Answered, NoKey, OnItsWay
from fedcollab.sealing import keepers, organisation
from tests.nodes import asked, settled, until
from tests.sealing.at_work import Desk

from .handed import CANARY, DEADLINE, IDENTITY, OPENED, PREVIEW, REGION, Two


async def test_a_keeper_reads_the_preview_and_a_yes_opens_what_was_handed_over(two: Two) -> None:
    sent, here = await two.refer()
    came = await two.came()
    ruth = two.baobab["ruth"]
    assert await ruth.unlocked(service.open_preview, came) == PREVIEW
    there = await ruth.do(service.accept, came, [two.baobab["cleo"].id])
    await two.state(two.meridian, "accepted")
    await until("they are inside", lambda: two.baobab.here.sql("SELECT 1 FROM room WHERE id = :id AND state = 'open'", id=there))
    await two.history(here)
    cleo = two.baobab["cleo"]
    said = await cleo.read(there)  # what was sealed at once has no order
    assert {one["kind"]: one for one in said} == {"opened": OPENED, "identity": IDENTITY}
    await cleo.say(there, {"kind": "message", "text": "We meet her tomorrow."})
    await until("it is there", lambda: two.meridian.here.sql("SELECT 1 FROM sealed_message WHERE organisation = :o", o=two.baobab.me))
    assert (await two.ilse.read(here))[-1]["text"] == "We meet her tomorrow."
    assert await two.meridian.here.sql("SELECT 1 FROM room_entry WHERE room_id = :case AND action = 'referral.send'", case=two.case)
    assert [row[0] for row in await two.baobab.here.sql("SELECT action FROM audit_entry WHERE action LIKE 'referral%' ORDER BY seq")] == [
        "referral.came",
        "referral.box_came",
        "referral.open",
        "referral.accept",
    ]
    assert sent


@pytest.mark.rule("P5")
async def test_nobody_but_keepers_and_whom_they_hand_it_to_sees_a_referral(two: Two) -> None:
    await two.refer()
    came = await two.came()
    cleo, ilse = two.baobab["cleo"], two.baobab["ilse"]
    await settled(two.meridian.here, two.baobab.here)
    before = await two.baobab.here.tables()
    for act in (service.open_preview, service.assign):
        with pytest.raises(NotFound):
            await cleo.unlocked(act, came, *([cleo.id] if act is service.assign else []))
    for act, value in ((service.accept, [cleo.id]), (service.decline, "Other")):
        with pytest.raises(NotFound):
            await cleo.do(act, came, value)
    with pytest.raises(NotFound):
        await two.meridian["omar"].do(service.take_back, came)
    assert await two.baobab.here.tables() == before
    await ilse.unlocked(service.assign, came, cleo.id)
    assert await cleo.unlocked(service.open_preview, came) == PREVIEW
    assert await cleo.do(service.accept, came, [cleo.id])


@pytest.mark.rule("P15")
async def test_to_an_organisation_without_a_key_nothing_is_sent(two: Two) -> None:
    def gone(session: Any, node: Any) -> None:
        organisation.publish(session, node, None)

    async def can_receive() -> bool:
        try:
            await two.meridian.here.read(service.check_recipient, to)
        except NoKey:
            return False
        return True

    async def cannot() -> bool:
        return not await can_receive()

    to = await two.organisation()
    await until("their key is known", can_receive)
    await two.baobab.here.write(gone)
    await until("their key is gone", cannot)
    await settled(two.meridian.here, two.baobab.here)
    rooms, before = await two.meridian.here.sql("SELECT count(*) FROM room"), await two.meridian.here.tables()
    with pytest.raises(NoKey):
        await two.refer()
    assert await two.meridian.here.tables() == before
    assert await two.meridian.here.sql("SELECT count(*) FROM room") == rooms
    assert not await two.meridian.here.sql("SELECT 1 FROM referral")
    await two.baobab.here.write(organisation.turn)
    await until("their new key is known", can_receive)
    await two.refer()
    await two.came()


async def test_after_a_no_nothing_stays_there_and_the_reason_comes_back(two: Two) -> None:
    sent, here = await two.refer()
    came = await two.came()
    await two.baobab["ilse"].do(service.decline, came, "LackOfCapacity")
    await two.state(two.meridian, "rejected")
    assert await two.meridian.here.sql("SELECT code FROM referral WHERE id = :id", id=sent) == [("LackOfCapacity",)]
    assert (await two.meridian.room(here))[0] == "purged"
    await asyncio.gather(two.meridian.here.quiet(), two.baobab.here.quiet())
    assert await _left(two) == 0
    left = await two.baobab.here.sql("SELECT preview, kid, deadline, size, invitation, state FROM referral")
    assert left == [(b"", "", "", 0, "", "rejected")]
    with pytest.raises(Answered):
        await two.baobab["ilse"].unlocked(service.open_preview, came)
    await until("the purge is confirmed", lambda: two.meridian.here.sql("SELECT 1 FROM receipt WHERE state = 'confirmed'"))
    again, _ = await two.refer()
    assert await two.came(2)
    assert again != sent


async def _left(two: Two) -> int:
    """Rows and boxes at Baobab of anything that was referred."""
    tables = ("room_fact", "room_key", "room_member", "member_key", "sealed_message", "key_request", "referral_person")
    found = sum([(await two.baobab.here.sql(f"SELECT count(*) FROM {table}"))[0][0] for table in tables])
    return int(found) + await _boxes(two.baobab, "rf:", "mk:")


async def _boxes(desk: Desk, *prefixes: str) -> int:
    """How many boxes with such names the key ring has."""

    def work(_session: Any) -> int:
        with desk.here.kernel.node.ring.look() as ring:
            names = [row[0] for row in ring.exec_driver_sql("SELECT of FROM wrap")]
        return sum(name.startswith(prefixes) for name in names)

    return int(await desk.here.read(work))


@pytest.mark.parametrize("opened", [True, False])
async def test_taken_back_before_the_answer_it_is_gone_there(two: Two, opened: bool) -> None:
    sent, here = await two.refer()
    if opened:
        came = await two.came()
        await two.baobab["ilse"].unlocked(service.open_preview, came)
    await two.meridian["ilse"].do(service.take_back, sent)
    await two.state(two.baobab, "revoked")
    assert await _left(two) == 0
    assert (await two.meridian.room(here))[0] == "purged"
    came = str((await two.baobab.here.sql("SELECT id FROM referral"))[0][0])
    for act, value in ((service.accept, [two.baobab["cleo"].id]), (service.decline, "Other")):
        with pytest.raises(Answered):
            await two.baobab["ilse"].do(act, came, value)
    with pytest.raises(Answered):
        await two.meridian["ilse"].do(service.take_back, sent)


async def test_what_cannot_be_destroyed_whole_is_not_destroyed_in_part(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    sent, _ = await two.refer()
    await two.came()
    before = await _boxes(two.meridian, "rf:", "mk:", "ck:")

    def busy(*_: Any, **__: Any) -> None:
        raise Unavailable(reason="the key ring is busy", retry_after=5)

    with monkeypatch.context() as patch:
        patch.setattr(boxing, "destroy", busy)
        with pytest.raises(Unavailable):
            await two.meridian["ilse"].do(service.take_back, sent)
    assert await _boxes(two.meridian, "rf:", "mk:", "ck:") == before
    await two.meridian["ilse"].do(service.take_back, sent)
    assert (await _boxes(two.meridian, "rf:"), await _boxes(two.meridian, "mk:", "ck:") < before) == (0, True)


async def test_a_yes_that_crosses_the_taking_back_ends_the_same_on_both_sides(two: Two) -> None:
    sent, here = await two.refer()
    came = await two.came()
    await asyncio.gather(
        two.meridian["ilse"].do(service.take_back, sent), two.baobab["ilse"].do(service.accept, came, [two.baobab["cleo"].id])
    )
    for desk in (two.meridian, two.baobab):
        await two.state(desk, "revoked")
    await asyncio.gather(two.meridian.here.quiet(), two.baobab.here.quiet())
    assert (await two.meridian.room(here))[0] == "purged"
    there = await two.baobab.here.sql("SELECT body FROM sealed_message")
    assert all(body == b"" for (body,) in there)


@pytest.mark.parametrize("side", ["sender", "recipient"])
async def test_either_side_says_how_it_came_out_and_both_know(two: Two, side: str) -> None:
    sent, _here, there = await two.accepted("cleo")
    came = str((await two.baobab.here.sql("SELECT id FROM referral"))[0][0])
    who, which = (two.ilse, sent) if side == "sender" else (two.baobab["cleo"], came)
    with pytest.raises(Refused):
        await who.do(service.finish, which, "Glad")
    with pytest.raises(NotFound):
        await two.baobab["ruth"].do(service.finish, came, "Successful")
    await who.do(service.finish, which, "UnableToContactClient")
    for desk in (two.meridian, two.baobab):
        await two.state(desk, "done")
        assert await desk.here.sql("SELECT code, preview FROM referral") == [("UnableToContactClient", b"")]
    assert (await two.baobab.room(there))[0] == "open", "the work can go on"
    with pytest.raises(Answered):
        await who.do(service.finish, which, "Successful")


@pytest.mark.rule("P13")
async def test_what_was_declined_opens_for_nobody_even_out_of_old_rows(two: Two) -> None:
    await two.refer()
    came = await two.came()
    [(preview,)] = await two.baobab.here.sql("SELECT preview FROM referral")
    await two.baobab["ilse"].do(service.decline, came, "Other")
    await two.baobab.here.read_write(
        lambda session: (
            session.connection().exec_driver_sql(
                "UPDATE referral SET preview = ?, state = 'in_progress', deadline = ?, kid = 'x'", (preview, DEADLINE)
            )
            and None
        )
    )
    with pytest.raises(Refused):
        await two.baobab["ilse"].unlocked(service.open_preview, came)
    await until("the sender's box is gone as well", lambda: _no_box(two))


async def _no_box(two: Two) -> bool:
    return await _boxes(two.meridian, "rf:") == 0


@pytest.mark.rule("P14")
async def test_nothing_of_a_referral_stands_in_clear_in_database_ring_or_queue(two: Two) -> None:
    await two.accepted("cleo")
    for desk in (two.meridian, two.baobab):
        files = list(desk.here.kernel.node.files.root.parent.glob("*.db*"))
        held = b"".join(one.read_bytes() for one in files)
        assert len(held) > 10_000
        for canary in (CANARY, REGION, "AdditionalServicesRequired", "VitalInterests"):
            assert canary.encode() not in held


async def test_a_preview_is_not_read_before_its_key_is_here(two: Two) -> None:
    await two.refer()
    came = str((await until("the referral is there", lambda: two.baobab.here.sql("SELECT id FROM referral")))[0][0])
    with pytest.raises(OnItsWay):
        await two.baobab["ilse"].unlocked(service.open_preview, came)
    assert await asked(fetching.lanes(two.baobab.here.kernel)) == 1
    assert await two.baobab["ilse"].unlocked(service.open_preview, came) == PREVIEW


async def test_what_is_no_box_by_its_size_is_not_kept_and_asked_for_again(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    here, ask = two.baobab.here, fetching.knocking.ask
    await two.refer()
    await until("it has come", lambda: here.sql("SELECT 1 FROM referral"))
    with monkeypatch.context() as patch:

        async def large(kernel: Any, address: str) -> Any:
            return dataclasses.replace(await ask(kernel, address), body=bytes(600_000))

        patch.setattr(fetching.knocking, "ask", large)
        assert await asked(fetching.lanes(here.kernel)) == 0
    await here.read_write(lambda session: session.execute(sa.text("UPDATE referral SET next_at = 0")) and None)
    assert await asked(fetching.lanes(here.kernel)) == 1


async def test_a_keeper_who_came_later_reads_what_was_sealed_before(two: Two) -> None:
    await two.refer()
    came = await two.came()
    ilse, cleo = two.baobab["ilse"], two.baobab["cleo"]
    await two.baobab.here.write(organisation.turn)
    await ilse.do(keepers.name, cleo.id)
    await ilse.do(keepers.hand, ilse.keys[0], cleo.id, cleo.keys[0].public.kid)
    assert await cleo.unlocked(service.open_preview, came) == PREVIEW


async def test_one_that_nobody_answered_by_its_day_is_late_on_both_sides_once(two: Two) -> None:
    await two.refer(deadline="2026-01-01")
    await two.came()
    for desk in (two.meridian, two.baobab):
        for _ in range(2):
            await desk.here.write(chores.mark_late)
        assert len(await desk.here.sql("SELECT 1 FROM audit_entry WHERE action = 'referral.late'")) == 1
        assert await desk.here.sql("SELECT 1 FROM referral WHERE late_at IS NOT NULL")


@pytest.mark.rule("P25")
async def test_a_preview_across_a_border_without_a_ground_is_not_sent(two: Two) -> None:
    values = {**vars(PREVIEW), "transfer": ""}
    with pytest.raises(Refused):
        await two.refer(preview=Preview(**values))
    assert not await two.meridian.here.sql("SELECT 1 FROM referral")
    await two.refer()


@pytest.mark.rule("P2")
async def test_a_preview_without_its_lawful_basis_is_not_sent(two: Two) -> None:
    with pytest.raises(Refused):
        await two.refer(preview=Preview(**{**vars(PREVIEW), "basis": ""}))
    assert not await two.meridian.here.sql("SELECT 1 FROM referral")
    await two.refer()


@pytest.mark.rule("P11")
async def test_what_came_to_nothing_does_not_come_back_with_an_older_backup(two: Two) -> None:
    await two.refer()
    came = await two.came()
    before = await two.baobab.here.sql("SELECT preview, kid, deadline, size, invitation FROM referral")
    await two.baobab["ilse"].do(service.decline, came, "OutsideArea")
    ended = await two.baobab.here.read(erased.ended_since, 0)
    assert ended == [f"{came} rejected OutsideArea"]

    def back(session: Any) -> None:
        """As a backup of an hour ago has it."""
        values = dict(zip(("preview", "kid", "deadline", "size", "invitation"), before[0], strict=True))
        session.execute(sa.delete(ReferralWord))
        session.execute(sa.update(Referral).values(state="in_progress", code="", **values))

    await two.baobab.here.read_write(back)
    await two.baobab.here.write(erased.end_again, ended[0])
    assert await two.baobab.here.sql("SELECT state, code, preview, kid FROM referral") == [("rejected", "OutsideArea", b"", "")]
    with pytest.raises(NotFound):
        await two.baobab.here.write(erased.end_again, ended[0])
