"""A record is kept for six years; then a signed checkpoint stands for its oldest entries, and the later ones still follow from it."""

import pytest
import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.base.clock import DAY
from fedcollab.federation import proofs
from fedcollab.sealing import chains, checkpoints, heads, room_chain
from fedcollab.sealing.chain_models import RoomChain, RoomEntry
from fedcollab.sealing.chains import Place
from tests.rows import Hands
from tests.sealing.test_room_chain import Record, record

__all__ = ["record"]


def later(record: Record, micros: int) -> None:
    clock = record.at.clock
    assert isinstance(clock, Hands)
    clock.at += micros


@pytest.mark.rule("P9")
def test_after_six_years_a_checkpoint_stands_for_the_entries_and_the_rest_follows_from_it(record: Record) -> None:
    for _ in range(3):
        record.add(record.viewer, "case.read")
    later(record, checkpoints.KEPT - DAY)
    record.add(record.viewer, "case.export")
    before = record.entries()
    checkpoints.cut(record.session, record.at)
    assert record.entries() == before  # not a day too early
    later(record, 2 * DAY)
    checkpoints.cut(record.session, record.at)
    assert record.entries() == before[3:]
    assert room_chain.verify(record.session, record.at, record.room) is None
    row = record.session.execute(sa.select(RoomChain.checkpoint, RoomChain.from_seq)).one()
    head = heads.read_head(row.checkpoint)
    assert head.place == before[2].place == Place(row.from_seq, before[2].hash)
    assert proofs.proved(row.checkpoint, actors.keys_of(record.session, actors.own(record.session, record.at).id), record.at.now())
    assert chains.check(before[3:], head.place, head.room, head.node) == before[-1].place
    record.add(record.viewer, "case.read")
    assert room_chain.verify(record.session, record.at, record.room) is None
    assert room_chain.place(record.session, record.room, 3) == head.place
    assert room_chain.place(record.session, record.room, 2) is None


@pytest.mark.rule("P9", "AUTH-10")
def test_what_is_cut_behind_a_checkpoint_is_found(record: Record) -> None:
    for _ in range(3):
        record.add(record.viewer, "case.read")
    later(record, checkpoints.KEPT + DAY)
    for _ in range(3):
        record.add(record.viewer, "case.read")
    checkpoints.cut(record.session, record.at)
    record.session.execute(sa.delete(RoomEntry).where(RoomEntry.seq == 4))
    assert room_chain.verify(record.session, record.at, record.room) == 4


def test_a_whole_record_that_is_old_goes_in_steps_and_goes_on(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "ENTRIES", 2)
    for _ in range(5):
        record.add(record.viewer, "case.read")
    ends = room_chain.end(record.session, record.room)
    later(record, checkpoints.KEPT + DAY)
    for left in (3, 1, 0, 0):
        checkpoints.cut(record.session, record.at)
        assert len(record.entries()) == left
        assert room_chain.verify(record.session, record.at, record.room) is None
    assert room_chain.end(record.session, record.room) == ends
    record.add(record.viewer, "case.read")
    assert [one.seq for one in record.entries()] == [6]
    assert room_chain.verify(record.session, record.at, record.room) is None
