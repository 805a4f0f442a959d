"""Case keys: what a document says and what it can't say, and the 32 bytes that belong to it."""

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.errors import BadRequest
from fedcollab.sealing import casesecrets
from fedcollab.sealing.boxes import box
from fedcollab.sealing.casekeys import GUEST, MEMBERS, OWNER, CaseKey, Member, parse
from fedcollab.sealing.shut import Shut
from fedcollab.sealing.texts import written

from .envelopes import DOCUMENT, ROOM_KEYS, SECRET, A, B, another, case_keys, hashes, never_opens
from .envelopes import json as any_json

KEY_A, KEY_B = ROOM_KEYS[A], ROOM_KEYS[B]


@given(case_keys())
def test_a_case_key_comes_back_from_its_document(case_key: CaseKey) -> None:
    said = json.loads(json.dumps(case_key.document()))
    assert parse(said) == case_key
    assert parse(said).ck == case_key.ck


@given(case_keys(), st.data())
def test_a_document_that_was_changed_is_refused_or_has_another_name(case_key: CaseKey, data: st.DataObject) -> None:
    said = deepcopy(case_key.document())
    at = _somewhere(said, data)
    name = data.draw(st.sampled_from(sorted(at))) if isinstance(at, dict) else data.draw(st.integers(0, len(at) - 1))
    match data.draw(st.sampled_from(["change", "remove", "add"])):
        case "change":
            at[name] = data.draw(any_json | hashes | st.integers(1, 5))
        case "remove":
            del at[name]
        case _ if isinstance(at, dict):
            at[data.draw(st.text(max_size=5).filter(lambda new: new not in at))] = data.draw(any_json)
        case _:
            at.append(deepcopy(at[0]))
    if json.dumps(said, sort_keys=True) == json.dumps(case_key.document(), sort_keys=True):
        return
    try:
        found = parse(said)
    except BadRequest:
        return
    assert found.ck != case_key.ck
    assert found.document() == said


def _somewhere(said: dict[str, Any], data: st.DataObject) -> Any:
    """The document, or one of its lists or members."""
    return data.draw(st.sampled_from([said, said["members"], *said["members"], *([said["deputies"]] if said["deputies"] else [])]))


def test_what_stands_around_it_on_the_wire_does_not_change_its_name() -> None:
    around = {"@context": ["x"], "type": "Key", "proof": {"proofValue": "z"}}
    assert parse(DOCUMENT.document() | around) == DOCUMENT
    with pytest.raises(BadRequest):
        parse(DOCUMENT.document() | {"boxes": []})


def changed(**change: Any) -> dict[str, Any]:
    return DOCUMENT.document() | change


def inside(**change: Any) -> dict[str, Any]:
    """The document with the second member changed."""
    first, second = DOCUMENT.document()["members"]
    return changed(members=[first, second | change])


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        changed(v=2),
        changed(v=1.0),
        changed(v=True),
        changed(epoch=0),
        changed(epoch=True),
        changed(epoch=1.0),
        changed(epoch="1"),
        changed(epoch=2**53),
        changed(epoch=2),
        changed(prev=DOCUMENT.ck),
        changed(prev=None),
        changed(prev=""),
        changed(room="javascript:alert(1)"),
        changed(room="https://a.example/rooms/1 "),
        changed(room="https://a.example/\ud800"),
        changed(room="https://a.example/" + "x" * 2000),
        changed(**{"from": "https://c.example/actor"}),
        changed(members=[]),
        changed(members={}),
        changed(members=DOCUMENT.document()["members"] * 2),
        changed(members=DOCUMENT.document()["members"][:1]),
        changed(members=DOCUMENT.document()["members"][1:]),
        changed(deputies=["https://c.example/actor"]),
        changed(deputies=[B + "/actor"] * 2),
        changed(deputies=B + "/actor"),
        changed(commit=DOCUMENT.commit[:-1]),
        changed(commit=DOCUMENT.commit + "="),
        changed(heals=[]),
        changed(heals=[DOCUMENT.ck]),
        changed(heals=[DOCUMENT.ck, written(bytes(32))]),
        inside(role=OWNER),
        inside(role="reader"),
        inside(since=2),
        inside(since=0),
        inside(mk=None),
        inside(person=""),
        inside(person=None),
        inside(organisation=A + "/actor"),
        inside(name="B"),
    ],
)
def test_a_document_that_does_not_fit_together_is_refused(document: object) -> None:
    assert parse(changed()) == DOCUMENT
    with pytest.raises(BadRequest) as caught:
        parse(document)
    assert "example" not in caught.value.reason


def test_more_members_than_fit_are_refused() -> None:
    def many(count: int) -> dict[str, Any]:
        more = [Member(f"https://m{number}.example/actor", "", GUEST, DOCUMENT.commit, 1).document() for number in range(count - 2)]
        return changed(members=[*DOCUMENT.document()["members"], *more])

    assert len(parse(many(MEMBERS)).members) == MEMBERS
    with pytest.raises(BadRequest):
        parse(many(MEMBERS + 1))


def test_each_member_opens_the_box_that_is_theirs_and_no_other() -> None:
    for ours, theirs in [(KEY_A, KEY_B), (KEY_B, KEY_A)]:
        sealed = casesecrets.boxed(SECRET, ours.public)
        assert casesecrets.opened(parse(DOCUMENT.document()), ours, sealed).raw == SECRET.raw
        with pytest.raises(Shut):
            casesecrets.opened(DOCUMENT, theirs, sealed)


def test_a_box_of_another_epoch_or_of_another_list_of_members_stays_shut() -> None:
    later, key = another()
    ghost = Member("https://ghost.example/actor", "", GUEST, DOCUMENT.commit, 1)
    listed = replace(DOCUMENT, members=(*DOCUMENT.members, ghost))
    assert casesecrets.opened(later, KEY_A, casesecrets.boxed(key, KEY_A.public)).epoch == 2
    for document, secret in [(DOCUMENT, key), (later, SECRET), (listed, SECRET), (replace(DOCUMENT, room=A + "/rooms/2"), SECRET)]:
        with pytest.raises(Shut):
            casesecrets.opened(document, KEY_A, casesecrets.boxed(secret, KEY_A.public))


def test_a_box_with_any_byte_changed_stays_shut() -> None:
    never_opens(lambda sealed: casesecrets.opened(DOCUMENT, KEY_A, sealed), casesecrets.boxed(SECRET, KEY_A.public))


def test_a_key_that_the_document_does_not_commit_to_is_not_believed_even_in_the_right_box() -> None:
    for raw in (bytes(32), SECRET.raw[:-1], SECRET.raw + b"\0", b""):
        with pytest.raises(Shut):
            casesecrets.opened(DOCUMENT, KEY_A, box(KEY_A.public, raw, SECRET.of, {"ck": DOCUMENT.ck}))
        with pytest.raises(Shut):
            casesecrets.held(DOCUMENT, raw)
    assert casesecrets.held(DOCUMENT, SECRET.raw).ck == DOCUMENT.ck


def test_each_epoch_has_a_key_of_its_own_that_shows_itself_nowhere() -> None:
    later, key = another()
    assert key.raw != SECRET.raw
    assert later.commit != DOCUMENT.commit
    assert SECRET.of == f"ck:{A}/rooms/1:1"
    assert repr(SECRET.raw)[2:12] not in repr(SECRET)
    assert written(SECRET.raw) not in json.dumps(DOCUMENT.document())
