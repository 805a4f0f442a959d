"""What groups say in sealed messages: read back as it was, refused without a word of it where it is none; folded the same in any order."""

import traceback
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.canonical import canonical
from fedcollab.base.errors import BadRequest
from fedcollab.base.strictjson import loads
from fedcollab.features.rooms import folding
from fedcollab.features.rooms.entries import (
    ABOUT,
    KINDS,
    MOST,
    TEXT,
    Edited,
    File,
    Group,
    People,
    Removed,
    Reply,
    Resource,
    Thread,
    is_newer,
    parse,
)
from fedcollab.features.rooms.folding import Item, Shown
from fedcollab.sealing.chunks import FileSecret
from fedcollab.sealing.entries import LATEST, Entry, document, members
from fedcollab.sealing.fields import LINE, Line, Text
from fedcollab.sealing.messages import LARGEST

ORG, OTHER, ANNA, BORA = (f"https://{one}" for one in ("a.example/actor", "b.example/actor", "a.example/people/1", "b.example/people/2"))
OPENER, REPLY = "https://a.example/messages/1", "https://b.example/messages/2"
LETTERS = st.characters(
    exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)
uris = st.sampled_from([f"https://a.example/messages/{number}" for number in range(6)])
texts = st.text(LETTERS | st.just("\n"), min_size=1, max_size=40).filter(str.strip)
lines = st.text(LETTERS, min_size=1, max_size=30).map(str.strip).filter(bool)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("name", "title"), lines),
    **dict.fromkeys(("text", "about", "why"), texts),
    **dict.fromkeys(("of", "thread", "to", "link", "uri"), uris),
    "media": lines,
    "secret": st.builds(FileSecret, st.binary(min_size=32, max_size=32), st.integers(1, 2**30), st.binary(min_size=32, max_size=32)),
    "retention": st.dates(date(2020, 1, 1), date(2100, 1, 1)).map(date.isoformat),
    "number": st.integers(1, MOST),
    "language": st.sampled_from(["km", "pt-BR"]),
}
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=8), inside, max_size=4),
    max_leaves=12,
)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    kind = draw(st.sampled_from(sorted(KINDS)))
    found = {name: draw(VALUES[name]) for name, _, needed in members(KINDS[kind]) if needed or draw(st.booleans())}
    return draw(st.just(KINDS[kind](at=draw(st.integers(0, LATEST)), **found)).filter(lambda entry: not list(entry.problems())))


@given(entries())
def test_an_entry_is_read_as_it_was_written(entry: Entry) -> None:
    assert parse(loads(canonical(document(entry)))) == entry


@given(json)
def test_no_json_brings_the_reader_down(content: Any) -> None:
    with pytest.raises(BadRequest):
        parse(content)


@given(entries(), st.data())
def test_an_entry_with_any_member_changed_is_an_entry_or_refused(entry: Entry, data: st.DataObject) -> None:
    said = document(entry)
    said[data.draw(st.sampled_from(sorted(said)))] = data.draw(json)
    try:
        again = parse(said)
    except BadRequest:
        return
    assert canonical(document(again)) == canonical(said)


@given(entries(), st.text(min_size=1, max_size=8), json)
def test_an_entry_with_a_member_more_is_refused(entry: Entry, name: str, value: Any) -> None:
    if name not in {"v", "kind", "at", *(member.name for member in members(type(entry)))}:
        with pytest.raises(BadRequest):
            parse(document(entry) | {name: value})


def test_what_is_too_long_or_turns_a_text_around_is_no_entry_and_the_refusal_says_nothing_of_it() -> None:
    good = document(Thread(at=1, title="A question", text="What do you see?"))
    assert parse(good)
    for name, value in (("text", "Vera" * TEXT), ("title", "Vera" * LINE), ("title", "Vera\nx"), ("text", "Vera\u202e"), ("text", " ")):
        with pytest.raises(BadRequest) as refused:
            parse(good | {name: value})
        assert "Vera" not in "".join(traceback.format_exception(refused.value))


def test_a_link_leads_to_the_web_and_nowhere_else() -> None:
    good = document(Resource(at=1, title="A guide", link="https://guide.example/"))
    assert parse(good)
    for link in ("javascript:alert(1)", "data:text/html,x", "ftp://x.example/", "https://x.example/ y", "//x.example"):
        with pytest.raises(BadRequest):
            parse(good | {"link": link})


def test_the_largest_entry_fits_into_a_message() -> None:
    texts_of = {name: "€" * min(spec.most, TEXT) for name, spec, _ in members(Thread) if isinstance(spec, Text)}
    assert len(canonical(document(Thread(at=LATEST, **texts_of)))) < LARGEST
    assert all(spec.most <= TEXT for kind in KINDS.values() for _, spec, _ in members(kind) if isinstance(spec, Text | Line))
    assert ABOUT < TEXT


def test_what_a_later_program_wrote_is_known_as_such_and_what_is_broken_is_not() -> None:
    assert is_newer({"v": 1, "kind": "poll", "at": 1})
    assert is_newer({"v": 2, "kind": "thread", "at": 1})
    assert not is_newer({"v": 1, "kind": "thread", "at": 1})
    assert not is_newer({"kind": "poll"})


def item(entry: Entry | None, uri: str, author: str = ANNA, organisation: str = ORG, row: str = "", arrived: int = 50) -> Item:
    return Item(row or uri[-1], uri, author, organisation, arrived, entry, "" if entry else "broken")


BASE = [item(Thread(at=1, title="Q", text="First"), OPENER), item(Reply(at=2, thread=OPENER, text="Yes"), REPLY, BORA, OTHER)]


def folded(*said: Item) -> list[Shown]:
    return folding.posts(BASE, said, frozenset({ORG}))


def edit(number: int, at: int, text: str, author: str = ANNA, organisation: str = ORG, of: str = OPENER, title: str = "") -> Item:
    return item(Edited(at=at, of=of, thread=OPENER, text=text, title=title), f"https://x.example/messages/e{number}", author, organisation)


def test_an_own_edit_changes_text_and_title_and_keeps_what_was_said_before() -> None:
    [opener, _] = folded(edit(2, 20, "Third", title="Q2"), edit(1, 10, "Second"))
    assert (opener.title, opener.text, opener.edited_at) == ("Q2", "Third", 20)
    assert opener.before == ((20, "Second"), (10, "First"))


def test_somebody_elses_edit_changes_nothing_and_whoever_leads_does_not_write_for_others_either() -> None:
    assert folded(edit(1, 10, "Forged", BORA, OTHER)) == folded()
    assert folded(edit(1, 10, "Forged", ANNA, ORG, of=REPLY)) == folded()


def test_whoever_leads_removes_with_a_reason_and_other_members_do_not() -> None:
    word = Removed(at=9, of=REPLY, thread=OPENER, why="It names somebody.")
    [_, reply] = folded(item(word, "https://a.example/messages/r", ANNA, ORG))
    assert (reply.state, reply.text, reply.why, reply.by) == ("removed", "", "It names somebody.", ORG)
    theirs = item(replace(word, of=OPENER), "https://b.example/messages/r", BORA, OTHER)
    assert folded(theirs) == folded()


@given(st.permutations([edit(1, 10, "a"), edit(2, 10, "b"), edit(3, 30, "c"), edit(4, 5, "d", BORA, OTHER, REPLY)]))
def test_posts_are_the_same_in_whatever_order_edits_came(said: list[Item]) -> None:
    assert [(one.text, one.before) for one in folded(*said)] == [
        (one.text, one.before) for one in folded(edit(1, 10, "a"), edit(2, 10, "b"), edit(3, 30, "c"), edit(4, 5, "d", BORA, OTHER, REPLY))
    ]


def test_a_group_is_called_as_its_leader_last_said_and_not_as_members_say() -> None:
    said = [item(Group(at=2, name="New"), "https://a.example/messages/2"), item(Group(at=1, name="Old"), "https://a.example/messages/1")]
    forged = item(Group(at=9, name="Forged"), REPLY, BORA, OTHER)
    found = folding.group([*said, forged], frozenset({ORG}))
    assert found is not None
    assert found[1].name == "New"
    assert folding.group([forged], frozenset({ORG})) is None


def test_each_organisation_says_how_many_of_its_own_people_there_are() -> None:
    said = [item(People(at=2, number=5), OPENER), item(People(at=1, number=9), "https://a.example/messages/0")]
    assert folding.people([*said, item(People(at=1, number=2), REPLY, BORA, OTHER)]) == {ORG: 5, OTHER: 2}


def test_what_says_it_was_written_later_than_it_came_stands_where_it_came() -> None:
    late = item(Reply(at=LATEST, thread=OPENER, text="Late"), REPLY, arrived=7)
    assert late.at == 7 + folding.AHEAD


def test_of_many_files_of_a_post_the_first_twenty_are_shown_and_all_go_with_it() -> None:
    secret = FileSecret(bytes(32), 1, bytes(32))
    post = Item("1", OPENER, ANNA, ORG, 1, Thread(at=1, title="T", text="x"))

    def file(number: int, author: str = ANNA) -> Item:
        uri = f"https://a.example/messages/f{number}"
        return Item(uri, uri, author, ORG, 1, File(at=number, of=OPENER, thread=OPENER, uri=uri, name=f"{number}.txt", secret=secret))

    said = [file(number) for number in range(30, 0, -1)]
    [shown] = folding.posts([post], [*said, file(40, BORA)], frozenset({ORG}))
    assert [one.entry.name for one in shown.files] == [f"{number}.txt" for number in range(1, 21)]
    assert set(shown.edits) == {one.uri for one in said}
    assert folding.place(said[0].entry, said[0].uri) == (OPENER, OPENER)
