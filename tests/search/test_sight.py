"""Shows that somebody finds exactly what they may see: whatever the audiences, labels, blocks and times are."""

from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fedcollab.access import policy
from fedcollab.access.models import CLEAR, GREEN, STRICT, Audience, Block
from fedcollab.access.viewer import ANYBODY, Viewer
from fedcollab.base.clock import MINUTE, new_id
from fedcollab.base.session import Session
from fedcollab.features.discussions.models import Thread
from fedcollab.search import finding, index, names, query, sight, store, walking
from tests.rows import START, organisation

from .conftest import Fresh
from .rows import actor, audience, entry, found, look, member, person, place, put

ORGANISATIONS, AUDIENCES = 4, 4


@dataclass(frozen=True)
class World:
    """Who owns each audience (with what label, with open history), who is inside since when, who is blocked, what was written where."""

    audiences: list[tuple[int, str, bool]]
    inside: dict[tuple[int, int], int]
    blocked: set[int]
    written: list[tuple[int, int, str, int]]


number, label = st.integers(0, ORGANISATIONS - 1), st.sampled_from([CLEAR, GREEN, STRICT])
worlds = st.builds(
    World,
    st.lists(st.tuples(number, label, st.booleans()), min_size=AUDIENCES, max_size=AUDIENCES),
    st.dictionaries(st.tuples(st.integers(0, AUDIENCES - 1), number), st.integers(0, 5), max_size=8),
    st.sets(number, max_size=2),
    st.lists(st.tuples(st.integers(0, AUDIENCES - 1), number, label, st.integers(0, 5)), min_size=1, max_size=10),
)


def build(session: Session, world: World) -> list[str]:
    """Makes it, each thing a thread and an entry of the same id; answers the organisations."""
    made = [organisation(session, f"o{n}.example") for n in range(ORGANISATIONS)]
    audiences = [audience(session, made[owner], label, history=history) for owner, label, history in world.audiences]
    for (where, who), since in world.inside.items():
        policy.admit(session, audiences[where], made[who], since=START + since * MINUTE)
    for who in world.blocked:
        session.execute(sa.insert(Block).values(organisation_id=made[who], at=START))
    here = place(session)
    for where, who, label, at in world.written:
        author, moment, row_id = person(session, made[who], "Somebody"), START + at * MINUTE, new_id(START)
        group = session.execute(sa.select(Audience.group_id).where(Audience.id == audiences[where])).scalar_one()
        shared = dict(audience_id=audiences[where], label=label, organisation_id=made[who], posted_at=moment)
        row = dict(id=row_id, uri=row_id, group_id=group, title="T", language="en", author_id=author, last_post_at=moment)
        session.execute(sa.insert(Thread).values(**row, **shared))
        index.put(session, entry(here, "the same words", kind="thread", subject_id=row_id, **shared))
    return made


@pytest.mark.rule("CONF-04")
def test_the_hits_are_exactly_what_the_policy_shows(fresh: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(worlds, st.sampled_from([0, 2, sight.FEW]), st.sampled_from([0.0, 1e9]))
    def run(world: World, few: int, a_match: float) -> None:
        monkeypatch.setattr(sight, "FEW", few)  # with few audiences named, and with none
        monkeypatch.setattr(walking, "A_MATCH", a_match)  # by either way of PostgreSQL
        with fresh() as session:
            made = build(session, world)
            for viewer in [ANYBODY, *(member(one) for one in made), *(Viewer(one) for one in made)]:
                seen = set(session.scalars(sa.select(Thread.id).where(policy.visible(Thread, viewer))))
                page = look(session, viewer, "same words")
                assert {hit.subject_id for hit in page.rows} == seen
                assert page.count == len(seen)
                assert sum(number for _, number in (page.facets or {})["kind"]) == len(seen)
                assert set(found(session, viewer, kinds=("thread",))) == seen
                match = store.ask(session, query.parse("same words"), [sight.marks_of(session, viewer)])
                every = finding._lines(session, viewer, match)
                for most in range(1, len(every) + 1):  # where the page is full, it is as it was walked to
                    assert finding._lines(session, viewer, match, most=most) == every[:most]

    run()


@pytest.mark.rule("CONF-04")
def test_whoever_is_expelled_or_blocked_is_no_longer_found_and_finds_no_more_and_is_back_afterwards(session: Session) -> None:
    at = place(session)
    subject = put(session, at, "about deposits")
    policy.admit(session, at.our_audience, at.theirs, since=START)
    assert found(session, at.stranger, "deposits") == [subject]
    policy.expel(session, at.our_audience, at.theirs)
    assert found(session, at.stranger, "deposits") == []
    theirs = put(session, at, "their deposits", audience_id=at.our_audience, organisation_id=at.theirs, at=1)
    session.execute(sa.insert(Block).values(organisation_id=at.theirs, at=START))
    assert found(session, at.viewer, "deposits") == [subject]
    session.execute(sa.delete(Block))
    assert found(session, at.viewer, "deposits") == [theirs, subject]


def test_an_audience_that_is_narrowed_takes_all_in_it_from_the_public_at_once(session: Session) -> None:
    at = place(session)
    subjects = [put(session, at, "public words", label=CLEAR, at=n) for n in (2, 1)]
    put(session, at, "public words", label=CLEAR, audience_id=at.their_audience, at=0)
    assert found(session, ANYBODY, "public")[:2] == subjects
    index.relabel(session, at.our_audience, CLEAR, GREEN)
    assert len(found(session, ANYBODY, "public")) == 1
    assert found(session, at.viewer, "public")[:2] == subjects


@pytest.mark.rule("CONF-04")
def test_names_are_found_by_members_alone_and_suggested_to_nobody_else(session: Session) -> None:
    from fedcollab.search.finding import suggest

    at = place(session)
    sokha = person(session, at.theirs, "Sokha Prak")
    names.named(session, sokha)
    assert found(session, at.viewer, "sokha") == [sokha]
    assert [one.name for one in suggest(session, at.viewer, "Sohka Prak")] == ["Sokha Prak"]
    for nobody in (ANYBODY, Viewer(at.ours)):
        assert found(session, nobody, "sokha") == []
        assert suggest(session, nobody, "Sohka Prak") == ()
    session.execute(sa.insert(Block).values(organisation_id=at.theirs, at=START))
    assert (found(session, at.viewer, "sokha"), suggest(session, at.viewer, "Sohka Prak")) == ([], ())


@pytest.mark.parametrize("known", ["foreign", "introduced"])
def test_people_whom_no_partner_of_ours_vouches_for_are_not_listed(session: Session, known: str) -> None:
    at = place(session)
    stranger = actor(session, "Person", at.theirs, "Stranger Danger", known=known)
    names.named(session, stranger)
    assert found(session, at.viewer, "stranger") == []


def test_a_group_is_found_by_who_may_know_of_it_however_late_they_came(session: Session) -> None:
    at = place(session)
    group_id = session.execute(sa.select(Audience.group_id).where(Audience.id == at.our_audience)).scalar_one()
    names.named(session, group_id)
    assert found(session, at.viewer, "group") == [group_id]
    assert found(session, at.stranger, "group") == []
    policy.admit(session, at.our_audience, at.theirs, since=START + 1000 * MINUTE)
    assert found(session, at.stranger, "group") == [group_id]
