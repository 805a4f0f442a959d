"""A record of a room: whatever is changed, cut, moved or put in is seen, and of two heads of one node whether they are of one record."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.errors import BadRequest
from fedcollab.sealing import chains, heads
from fedcollab.sealing.chains import START, Broken, Entry, Place
from fedcollab.sealing.heads import BROKEN, FIRST, GAP, OLD, ON, SAME, Head
from fedcollab.sealing.texts import name_of

ROOM, NODE, OTHER = "https://owner.example/rooms/1", "https://mina.example/actor", "https://noor.example/actor"
LINE = st.tuples(
    st.integers(0, 2**53 - 1),
    st.one_of(st.just(""), st.uuids().map(str), st.just(OTHER)),
    st.sampled_from(["case.read", "room.send", "room.box"]),
    st.one_of(st.just(""), st.uuids().map(str)),
).map(list)
LINES = st.lists(LINE, min_size=1, max_size=12)


def made(lines: list[Any], after: Place = START) -> list[Entry]:
    return chains.placed(ROOM, NODE, after, lines)


def ends(entries: list[Entry], after: Place = START) -> Place:
    return chains.check(entries, after, ROOM, NODE)


def is_seen(entries: list[Entry], whole: Place) -> bool:
    """Whether entries are not the record that ends at this place."""
    try:
        return ends(entries) != whole
    except Broken:
        return True


@given(LINES, LINES)
@pytest.mark.rule("P9")
def test_a_record_reads_as_it_was_written_whole_or_from_any_place_on(first: list[Any], more: list[Any]) -> None:
    entries = made(first)
    after = entries[-1].place
    later = made(more, after)
    assert ends([*entries, *later]) == later[-1].place == ends(later, after)
    assert [chains.parse(one.document()) for one in entries] == entries
    assert made([one.line() for one in entries]) == entries


@given(LINES, st.data())
@pytest.mark.rule("P9", "AUTH-10")
def test_any_change_cut_move_or_insertion_is_seen(lines: list[Any], data: st.DataObject) -> None:
    entries = made(lines)
    whole, at = entries[-1].place, data.draw(st.integers(0, len(entries) - 1))
    one = entries[at]
    changed: dict[str, Any] = data.draw(
        st.sampled_from(
            [
                {"at": one.at ^ 1},
                {"who": one.who + "x"},
                {"action": "case.export"},
                {"subject": one.subject + "x"},
                {"room": ROOM + "2"},
                {"node": OTHER},
                {"seq": one.seq + 1},
                {"prev": name_of(b"another")},
            ]
        )
    )
    assert is_seen([*entries[:at], replace(one, **changed), *entries[at + 1 :]], whole)
    assert is_seen([*entries[:at], *entries[at + 1 :]], whole)
    assert is_seen(entries[:at], whole)
    assert is_seen([*entries[:at], one, *entries[at:]], whole)
    if at:
        assert is_seen([*entries[: at - 1], one, entries[at - 1], *entries[at + 1 :]], whole)
    assert is_seen([*entries, *made([[0, "", "case.read", ""]], whole)], whole)
    again = made([*lines[:at], [one.at, one.who, "case.export", ""], *lines[at + 1 :]])  # the whole rest made anew to fit
    assert ends(again) == again[-1].place != whole
    assert is_seen(again, whole)


@given(LINES, LINES, LINES, st.data())
@pytest.mark.rule("P9")
def test_a_later_head_that_does_not_stand_on_the_earlier_is_seen(
    first: list[Any], more: list[Any], other: list[Any], data: st.DataObject
) -> None:
    entries = made(first + more)
    known = Head(ROOM, NODE, len(first), entries[len(first) - 1].hash, 1)
    at = data.draw(st.integers(0, len(first)))
    after = entries[at - 1].place if at else START

    def judged(path: list[Entry], since: Place, said_at: int = 2) -> str:
        return heads.judged(known, Head(ROOM, NODE, *_place(path, since), said_at), since, path)

    assert judged(entries[at:], after) == ON
    assert judged(entries[at : len(first)], after) == SAME
    assert heads.judged(None, known, START, entries[: len(first)]) == FIRST
    gap = entries[len(first)].place
    assert judged(entries[len(first) + 1 :], gap) == GAP
    shorter = data.draw(st.integers(0, len(first) - 1))
    if shorter:
        assert judged(entries[:shorter], START, 2) == BROKEN  # said later, and shorter
        assert judged(entries[:shorter], START, 1) == OLD
    rewritten = made([[7, "", "case.read", "another"], *first[1:], *other])
    if rewritten[len(first) - 1].hash != known.hash:
        assert judged(rewritten, START) == BROKEN


def _place(path: list[Entry], since: Place) -> tuple[int, str]:
    last = path[-1].place if path else since
    return last.seq, last.hash


@given(LINES)
def test_entries_that_do_not_lead_to_their_head_are_refused(lines: list[Any]) -> None:
    entries = made(lines)
    for head in (Head(ROOM, NODE, len(entries), name_of(b"x"), 1), Head(ROOM, NODE, len(entries) + 1, entries[-1].hash, 1)):
        with pytest.raises(BadRequest):
            heads.judged(None, head, START, entries)


BAD = [
    [1, "", "case.read"],
    [1, "", "case.read", "", ""],
    [True, "", "case.read", ""],
    [-1, "", "case.read", ""],
    [2**53, "", "case.read", ""],
    [1, "a name", "case.read", ""],
    [1, "", "She is safe", ""],
    [1, "", "case.read", "a b"],
    [1, "", "case.read", "x" * 401],
    [1, None, "case.read", ""],
    "case.read",
]


@pytest.mark.parametrize("line", BAD)
@pytest.mark.rule("P9")
def test_a_line_holds_random_ids_and_no_sentence(line: Any) -> None:
    with pytest.raises(BadRequest):
        made([line])


def test_heads_and_countersignatures_are_read_as_they_are_written_and_in_no_other_way() -> None:
    head = Head(ROOM, NODE, 3, name_of(b"3"), 5)
    signed = heads.Signed(ROOM, NODE, 3, name_of(b"3"), 6, OTHER, 1, 2)
    assert heads.read_head(head.document()) == head
    assert heads.read_signed(signed.document()) == signed
    for read, one in ((heads.read_head, head.document()), (heads.read_signed, signed.document())):
        for wrong in ({"v": 2}, {"seq": 0}, {"seq": True}, {"hash": "x"}, {"type": "Note"}, {"more": 1}, {"room": "rooms/1"}, {"at": -1}):
            with pytest.raises(BadRequest):
                read(one | wrong)
        with pytest.raises(BadRequest):
            read({name: value for name, value in one.items() if name != "hash"})
    for wrong in ({"by": NODE}, {"since": 4}, {"breaks": -1}):
        with pytest.raises(BadRequest):
            heads.read_signed(signed.document() | wrong)
