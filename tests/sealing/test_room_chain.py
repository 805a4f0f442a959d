"""What stands in a room's record: every act, by random ids that are of this room alone; whole after a person is erased."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.models import AuditEntry
from fedcollab.access.viewer import Viewer, partner
from fedcollab.actors import service as actors
from fedcollab.actors.models import PERSON, Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import new_id
from fedcollab.base.session import Session
from fedcollab.sealing import chains, head_telling, room_chain, rooms
from fedcollab.sealing.chain_models import RoomChain, RoomEntry, RoomWho
from fedcollab.sealing.chains import START
from fedcollab.sealing.room_activities import Header
from tests.rows import home, memory, node, organisation, quick_keys


@dataclass
class Record:
    session: Session
    at: Node
    room: str
    person: str

    @property
    def viewer(self) -> Viewer:
        return Viewer("home", self.person, frozenset({"member"}))

    def add(self, by: Viewer | None, action: str, subject: str = "", room: str = "") -> None:
        room_chain.add(self.session, self.at, room or self.room, by, action, subject)

    def entries(self, room: str = "") -> list[chains.Entry]:
        return list(room_chain.entries(self.session, self.at, room or self.room))

    def new_room(self) -> str:
        uri = f"https://home.example/rooms/{new_id()}"
        return rooms.begin(self.session, self.at, Header(uri, "case", "TLP:AMBER"), self.at.actor_uri)


@pytest.fixture
def record() -> Iterator[Record]:
    with memory() as session:
        at = node()
        home(session, at)
        with quick_keys():
            ilse = actors.create_own(session, at, PERSON, username="ilse", name="Ilse")
        made = Record(session, at, "", ilse.id)
        made.room = made.new_room()
        yield made


@pytest.mark.rule("P9")
def test_each_act_stands_in_the_rooms_record_and_in_the_nodes(record: Record) -> None:
    other = organisation(record.session, "ben.example")
    record.add(record.viewer, "case.read")
    record.add(partner(other), "room.box", "ck")
    record.add(None, "room.box_came")
    found = record.entries()
    assert [(one.seq, one.action, one.subject) for one in found] == [(1, "case.read", ""), (2, "room.box", "ck"), (3, "room.box_came", "")]
    assert [one.who for one in found[1:]] == ["https://ben.example/actor", ""]
    assert [one.action for one in reversed(audit.newest(record.session, 3))] == ["case.read", "room.box", "room.box_came"]
    assert room_chain.verify(record.session, record.at, record.room) is None
    assert audit.verify(record.session).broken_at is None
    assert chains.check(found, START, found[0].room, record.at.actor_uri) == room_chain.end(record.session, record.room)


@pytest.mark.rule("P9", "P4")
def test_people_stand_there_by_ids_that_say_nothing_of_them_another_one_in_each_room(record: Record) -> None:
    second = record.new_room()
    record.add(record.viewer, "case.read")
    record.add(record.viewer, "room.assign", record.person)
    record.add(record.viewer, "case.read", room=second)
    first, assigned = record.entries()
    (there,) = record.entries(second)
    assert first.who == assigned.who == assigned.subject
    assert len({first.who, there.who, record.person}) == 3
    texts = [text for one in (first, assigned, there) for text in (one.who, one.action, one.subject, one.hash)]
    assert not any("ilse" in text.lower() or record.person in text for text in texts)


@pytest.mark.rule("P9")
def test_the_record_verifies_after_a_person_is_erased_and_names_nobody_then(record: Record) -> None:
    record.add(record.viewer, "case.read")
    before = record.entries()
    record.session.execute(sa.delete(RoomWho).where(RoomWho.person_id == record.person))
    record.session.execute(sa.update(Actor).where(Actor.id == record.person).values(name="", username=""))
    assert record.entries() == before
    assert room_chain.verify(record.session, record.at, record.room) is None
    record.add(None, "room.box_came")
    assert room_chain.verify(record.session, record.at, record.room) is None


CHANGES: list[Any] = [
    (sa.update(RoomEntry).where(RoomEntry.seq == 2).values(action="case.read"), 2),
    (sa.update(RoomEntry).where(RoomEntry.seq == 2).values(who=""), 2),
    (sa.update(RoomEntry).where(RoomEntry.seq == 2).values(at=1), 2),
    (sa.update(RoomEntry).where(RoomEntry.seq == 2).values(hash="u"), 2),
    (sa.delete(RoomEntry).where(RoomEntry.seq == 2), 2),
    (sa.delete(RoomEntry).where(RoomEntry.seq == 1), 1),
    (sa.delete(RoomEntry).where(RoomEntry.seq == 3), 3),
    (sa.update(RoomEntry).where(RoomEntry.seq == 3).values(seq=4), 3),
    (sa.update(RoomChain).values(seq=2), 4),
]


@pytest.mark.rule("P9", "AUTH-10")
@pytest.mark.parametrize(("change", "seen"), CHANGES)
def test_an_edited_cut_or_moved_row_is_found_by_its_number(record: Record, change: Any, seen: int) -> None:
    for action in ("case.read", "case.export", "room.send"):
        record.add(record.viewer, action)
    assert room_chain.verify(record.session, record.at, record.room) is None
    record.session.execute(change)
    assert room_chain.verify(record.session, record.at, record.room) == seen


@pytest.mark.rule("P9")
def test_a_node_that_comes_back_from_a_backup_says_so_in_each_record(record: Record) -> None:
    second = record.new_room()
    for room in (record.room, second):
        record.add(record.viewer, "case.read", room=room)
    head_telling.say_restored(record.session, record.at, 0)
    for room in (record.room, second):
        last = record.entries(room)[-1]
        assert (last.action, last.who, last.seq) == ("room.restored", "", 2)
        assert room_chain.verify(record.session, record.at, room) is None
    assert room_chain.rooms(record.session) == sorted([record.room, second])


def test_rooms_do_not_mix_and_long_records_are_read_in_pages(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_chain, "PAGE", 2)
    second = record.new_room()
    for _ in range(5):
        record.add(record.viewer, "case.read")
        record.add(record.viewer, "case.read", room=second)
    for room in (record.room, second):
        assert [one.seq for one in record.entries(room)] == [1, 2, 3, 4, 5]
        assert room_chain.verify(record.session, record.at, room) is None
    assert record.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry).where(AuditEntry.action == "case.read")) == 10
