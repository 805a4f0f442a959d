"""What is said of a room on the wire: written and read the same, and nothing else is taken."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.errors import BadRequest
from fedcollab.federation import activitystreams as ap
from fedcollab.sealing import boxes, fact_texts, facts
from fedcollab.sealing.casekeys import ROLES
from fedcollab.sealing.facts import Fact
from fedcollab.sealing.room_activities import Header, Said, document, parse

from .envelopes import ROOM_KEYS, A, B, case_keys, hashes, uris
from .envelopes import json as any_json

ME, ROOM, ID = A + "/actor", A + "/rooms/1", A + "/activities/1"
KEY = ROOM_KEYS[A].public
HEADER = Header(ROOM, "case", "TLP:AMBER")
me, epochs = st.just(ME), st.integers(0, 2**40)
told = st.one_of(
    st.builds(facts.Invited, st.just(ID), me, uris, st.just("") | uris, st.sampled_from(ROLES[1:]), epochs),
    st.builds(facts.Answer, uris, me, st.sampled_from(["", KEY.kid])),
    st.builds(facts.Withdrawn, uris, me),
    st.builds(facts.Rekeyed, me, hashes, st.just(KEY.kid)),
    st.builds(facts.Left, me, hashes),
    st.builds(facts.Removed, me, uris, hashes, hashes),
    st.builds(facts.Seen, me, epochs, hashes),
    st.builds(facts.Agreed, me, hashes),
    st.builds(facts.Backed, me, uris, hashes),
    st.builds(facts.Closed, me, st.booleans()),
)
ours = st.builds(facts.Founded, me, hashes) | st.builds(facts.Granted, me, hashes, epochs)


def said(fact: Fact) -> Said:
    fresh = (fact.mk if isinstance(fact, facts.Answer) else fact.new if isinstance(fact, facts.Rekeyed) else "") == KEY.kid
    return Said(ROOM, fact, HEADER if isinstance(fact, facts.Invited) else None, KEY if fresh else None)


@given(told)
def test_what_is_told_is_read_as_it_was_said(fact: Fact) -> None:
    activity = json.loads(json.dumps(document(ID, ME, said(fact))))
    assert parse(activity, ME) == said(fact)
    with pytest.raises(BadRequest):
        parse(activity, B + "/actor")


@given(case_keys())
def test_a_case_key_is_told_by_whoever_issues_it_in_its_own_room(key: Any) -> None:
    activity = document(ID, key.issuer, Said(key.room, key))
    assert parse(activity, key.issuer).fact == key
    with pytest.raises(BadRequest):
        parse(activity, ME)
    with pytest.raises(BadRequest):
        parse(document(ID, key.issuer, Said(key.room + "x", key)), key.issuer)


@given(told | ours)
def test_a_fact_comes_back_from_the_table(fact: Fact) -> None:
    kind = fact_texts.kind_of(fact)
    again = fact_texts.read(kind, json.loads(json.dumps(fact_texts.written(fact))))
    assert (again, fact_texts.name(again)) == (fact, fact_texts.name(fact))


@given(ours)
def test_what_is_ours_alone_is_never_told(fact: Fact) -> None:
    with pytest.raises(KeyError):
        document(ID, ME, said(fact))
    obj = {"id": ROOM, "type": ap.ROOM, "context": ROOM, ap.FACT: fact_texts.kind_of(fact), ap.SAID: fact_texts.written(fact)}
    with pytest.raises(BadRequest):
        parse(ap.activity("Update", ID, ME, obj), ME)


@given(told, st.data())
def test_what_was_changed_says_something_else_or_is_refused(fact: Fact, data: st.DataObject) -> None:
    activity = json.loads(json.dumps(document(ID, ME, said(fact))))
    changed = deepcopy(activity)
    inner = changed["object"][ap.SAID]
    name = data.draw(st.sampled_from(sorted(inner)))
    match data.draw(st.sampled_from(["change", "remove", "add"])):
        case "change":
            inner[name] = data.draw(any_json | hashes | uris)
        case "remove":
            del inner[name]
        case _:
            inner["more"] = data.draw(any_json)
    try:
        found = parse(changed, ME)
    except BadRequest:
        return
    assert fact_texts.written(found.fact) == inner


OTHER = boxes.generate().public


@pytest.mark.parametrize(
    ("fact", "change"),
    [
        (facts.Answer(B + "/1", ME, KEY.kid), {ap.PUBLIC_KEY: OTHER.document()}),
        (facts.Answer(B + "/1", ME, KEY.kid), {ap.PUBLIC_KEY: None}),
        (facts.Rekeyed(ME, OTHER.kid, KEY.kid), {ap.PUBLIC_KEY: KEY.document() | {"kid": OTHER.kid}}),
        (facts.Invited(ID, ME, B + "/actor", "", "member"), {ap.KIND: "party"}),
        (facts.Invited(ID, ME, B + "/actor", "", "member"), {ap.LABEL: "TLP:CLEAR"}),
        (facts.Invited(ID, ME, B + "/actor", "", "member"), {ap.LABEL: "TLP:GREEN"}),
        (facts.Left(ME, KEY.kid), {"type": ap.CASE_KEY}),
        (facts.Left(ME, KEY.kid), {"type": [ap.ROOM, "Note"]}),
        (facts.Left(ME, KEY.kid), {"context": "javascript:alert(1)"}),
        (facts.Left(ME, KEY.kid), {ap.FACT: "founded"}),
        (facts.Left(ME, KEY.kid), {ap.FACT: ["left"]}),
        (facts.Left(ME, KEY.kid), {ap.SAID: []}),
    ],
)
def test_a_wrong_key_header_or_kind_is_refused(fact: Fact, change: dict[str, Any]) -> None:
    activity = document(ID, ME, said(fact))
    assert parse(activity, ME).fact == fact
    with pytest.raises(BadRequest):
        parse(activity | {"object": activity["object"] | change}, ME)


def test_an_activity_of_another_type_or_id_is_refused() -> None:
    left = document(ID, ME, said(facts.Left(ME, KEY.kid)))
    invited = document(ID, ME, said(facts.Invited(ID, ME, B + "/actor", "", "member")))
    for activity in [
        left | {"type": "Delete"},
        left | {"object": ROOM},
        invited | {"id": ID + "0"},
        invited | {"type": ["Invite", "Accept"]},
    ]:
        with pytest.raises(BadRequest):
            parse(activity, ME)
