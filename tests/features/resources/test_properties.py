"""Properties: whatever a record is, it reads back as it was; whatever comes in is read or refused; whatever is done, the states hold."""

import json
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fedcollab.access.models import CLEAR, GREEN
from fedcollab.base.called import countries
from fedcollab.base.errors import BadRequest, Refused
from fedcollab.base.markup import render
from fedcollab.features.resources import activities, sending, service
from fedcollab.features.resources.activities import ResourceData, VersionData, parse, to_object
from fedcollab.features.resources.checking import checked, readable
from fedcollab.features.resources.models import CURRENT, REPLACED, WITHDRAWN, Resource, Version
from fedcollab.features.resources.record import Record
from fedcollab.features.resources.words import KINDS, LICENCES, TOPICS
from fedcollab.federation import activitystreams as ap
from tests import rows
from tests.features.test_library_records import GUIDE, Shelf

AUTHOR, NOW = "https://a.example/actor", 1_800_000_000_000_000
TEXT = st.text(max_size=60)
RECORDS = st.builds(
    Record,
    title=st.text(min_size=1, max_size=60),
    authors=st.lists(TEXT, max_size=4).map(tuple),
    publisher=TEXT,
    year=st.none() | st.integers(-5, 3000),
    language=st.sampled_from(["", "en", "km", "zh-Hant", "pt-br", "EN"]) | TEXT,
    countries=st.lists(st.sampled_from(sorted(countries())), max_size=4).map(tuple),
    kind=st.sampled_from(sorted(set(KINDS) - {"Story"})),
    topics=st.lists(st.sampled_from(sorted(TOPICS)), max_size=12).map(tuple),
    licence=st.sampled_from(["", *sorted(LICENCES)]),
    summary=st.text(max_size=200),
    source=st.sampled_from(["", "https://guides.example/a?b=c", "http://x.example/ü"]) | TEXT,
    identifier=st.sampled_from(["", "doi:10.1234/abc", "isbn:9781234567897", "https://doi.org/10.1234/x"]) | TEXT,
    review_on=st.sampled_from(["", "2027-11-30", "2027-13-40"]) | TEXT,
)
VERSIONS = st.lists(
    st.builds(
        VersionData,
        number=st.integers(1, 99_999),
        published_at=st.integers(0, NOW // 1000).map(lambda at: at * 1000),
        note=TEXT.map(lambda text: activities.line(text, activities.NOTE)),
        link=st.sampled_from(["", "https://guides.example/1"]),
        state=st.sampled_from([REPLACED, WITHDRAWN]),
        reason=TEXT.map(lambda text: activities.line(text, activities.REASON)),
    ),
    max_size=5,
    unique_by=lambda one: one.number,
).map(lambda found: tuple(sorted(found, key=lambda one: one.number)))


@given(RECORDS, VERSIONS, st.sampled_from([CLEAR, GREEN]), st.integers(1, (1 << 53) - 1), st.sampled_from([CURRENT, WITHDRAWN]))
@settings(max_examples=100, deadline=None)
def test_a_record_that_goes_out_reads_back_as_it_was(
    record: Record, versions: tuple[VersionData, ...], label: str, revision: int, state: str
) -> None:
    kept = readable(record)
    try:
        html = render(kept.summary)
    except Refused:
        return
    sent = ResourceData(
        uri="https://a.example/library/1",
        author=AUTHOR,
        label=label,
        record=kept,
        html=html,
        revision=revision,
        posted_at=NOW,
        changed_at=NOW,
        versions=versions,
        state=state,
        translations=("https://b.example/library/2",),
    )
    assert parse(json.loads(json.dumps(to_object(sent))), AUTHOR, NOW) == sent


@given(RECORDS)
@settings(max_examples=100, deadline=None)
def test_what_is_kept_of_a_record_stays_the_same_when_it_is_kept_again(record: Record) -> None:
    kept = readable(record)
    assert readable(kept) == kept
    try:
        assert checked(record) == checked(checked(record))
    except Refused:
        return


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT, lambda one: st.lists(one, max_size=3) | st.dictionaries(TEXT, one, max_size=3)
)
SAID = (
    "state",
    "authors",
    "year",
    "countries",
    "topics",
    "source",
    "reviewOn",
    "versions",
    "translations",
    "uses",
    "discussion",
)


@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(("name", "content", "contentMap", "source", "published", "to", ap.LABEL), JSON)),
    st.fixed_dictionaries({"revision": st.just(1)}, optional=dict.fromkeys(SAID, JSON)) | JSON,
)
@settings(max_examples=100, deadline=None)
def test_whatever_a_partner_sends_is_read_or_refused(over: dict[str, Any], said: Any) -> None:
    document = {"id": "https://a.example/library/1", "type": ["Article", ap.RESOURCE], ap.RECORD: said} | over
    try:
        found = parse(document, AUTHOR, NOW)
    except BadRequest:
        return
    assert found.record.title
    assert found.record.kind in KINDS
    assert "<script" not in found.html
    json.dumps(to_object(found))


ACTS = ("edit", "version", "withdraw", "withdraw first", "strict", "green", "clear")


@pytest.mark.rule("P8")
@given(st.lists(st.sampled_from(ACTS), max_size=8))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_members_do_one_version_counts_revisions_rise_and_partners_read_the_same(acts: list[str]) -> None:
    with rows.memory() as session:
        shelf = Shelf(session)
        found = shelf.add()
        revisions = [shelf.row(found).revision]
        for number, act in enumerate(acts):
            shelf.clock.at += 1  # less than a revision counts
            try:
                do(shelf, found, act, number)
            except Refused:
                continue
            row = shelf.row(found)
            versions = list(session.execute(sa.select(Version).where(Version.resource_id == found).order_by(Version.number)))
            assert row.state == versions[-1].state
            assert [one.number for one in versions if one.state == CURRENT] in ([], [row.number])
            assert row.revision >= revisions[-1]
            revisions.append(row.revision)
        told = [one["object"] for one in shelf.sent()]
        said = [one[ap.RECORD]["revision"] for one in told]
        assert said == sorted(set(said))
        if shelf.row(found).label == "TLP:AMBER+STRICT":
            assert "Tombstone" in told[-1]["type"]
        elif told and "Tombstone" not in told[-1]["type"]:
            last = parse(told[-1], shelf.node.actor_uri, shelf.clock.at + 10**9)
            stands = sending.data(session, found)
            assert (last.record, last.state, last.label, len(last.versions)) == (
                stands.record,
                stands.state,
                stands.label,
                len(stands.versions),
            )
            assert last.revision == session.scalar(sa.select(Resource.revision).where(Resource.id == found))


def do(shelf: Shelf, found: str, act: str, number: int) -> None:
    """One act of a member, or of a moderator where only they may."""
    here = (shelf.session, shelf.node)
    if act == "edit":
        changed = Record(title=f"Title {number}", kind="Guide", summary=GUIDE.summary, source=GUIDE.source)
        service.edit(*here, shelf.mara, found, changed, revision=shelf.row(found).revision)
    elif act == "version":
        service.new_version(*here, shelf.mara, found, link=f"https://guides.example/{number}")
    elif act.startswith("withdraw"):
        service.withdraw(*here, shelf.ilse, found, reason="Out of date.", number=1 if act.endswith("first") else 0)
    else:
        label = {"strict": "TLP:AMBER+STRICT", "green": "TLP:GREEN", "clear": "TLP:CLEAR"}[act]
        service.relabel(*here, shelf.noor, found, label, reason="So it is.")
