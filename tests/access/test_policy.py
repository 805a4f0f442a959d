"""Shows against a plain oracle that sight and sending agree with each other and with the rule, whatever audience and label."""

from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.access import policy
from fedcollab.access.models import AMBER, CLEAR, GREEN, LABELS, RED, STRICT, Audience, Block
from fedcollab.access.viewer import Viewer, partner
from fedcollab.base.errors import BadRequest, Refused
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared
from fedcollab.features.discussions.models import Thread
from fedcollab.federation import outbox
from fedcollab.federation.models import ACCEPTED, REQUESTED, UNDONE, Follow
from tests.rows import memory

ORGANISATIONS = ("ours", "p", "q", "r")
TIMES = st.integers(0, 5)
ORGANISATION = st.sampled_from(ORGANISATIONS)


@dataclass
class Group:
    """What the oracle knows of an audience."""

    label: str
    history: bool
    inside: dict[str, int] = field(default_factory=dict)


@dataclass
class World:
    """Audiences, things in them as (group, label, author's organisation, time), who is blocked."""

    groups: list[Group]
    things: list[tuple[int, str, str, int]]
    blocked: set[str]

    def sees(self, viewer: str, thing: tuple[int, str, str, int]) -> bool:
        """The rule in plain words: CLEAR is for all; else listed, and there when it was said or history is open; never the blocked."""
        number, label, author, posted_at = thing
        group = self.groups[number]
        listed = viewer in group.inside and (group.history or group.inside[viewer] <= posted_at)
        return author not in self.blocked and (label == CLEAR or listed)


@st.composite
def acts(draw: st.DrawFn) -> list[tuple[str, str, int]]:
    return draw(st.lists(st.tuples(st.sampled_from(["admit", "expel"]), ORGANISATION, TIMES), max_size=6))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[World, list[list[tuple[str, str, int]]]]:
    labels = st.sampled_from([CLEAR, GREEN, STRICT])
    groups = draw(st.lists(st.builds(Group, labels, st.booleans()), min_size=1, max_size=3))
    thing = st.tuples(st.integers(0, len(groups) - 1), st.sampled_from(LABELS), ORGANISATION, TIMES)
    world = World(groups, draw(st.lists(thing, max_size=8)), draw(st.sets(ORGANISATION)))
    return world, [draw(acts()) for _ in groups]


def build(session: Session, world: World, done: list[list[tuple[str, str, int]]]) -> list[str]:
    """Makes the world by the policy's own functions, the oracle's lists beside it; answers the audiences' ids."""
    ids = []
    for number, group in enumerate(world.groups):
        made = policy.open_audience(session, now=0, label=group.label, owner_id="ours", group_id=f"g{number}", history=group.history)
        ids.append(made)
        group.inside = {"ours": 0}
        for act, who, at in done[number]:
            if act == "admit":
                policy.admit(session, made, who, since=at)
                group.inside.setdefault(who, at)
            else:
                policy.expel(session, made, who)
                group.inside.pop(who, None)
    for number, (group_number, label, author, at) in enumerate(world.things):
        row = dict(id=f"t{number}", uri=f"u{number}", audience_id=ids[group_number], label=label, author_id="a", organisation_id=author)
        session.execute(sa.insert(Thread).values(**row, posted_at=at, group_id="g", title="", language="", last_post_at=0))
    for who in sorted(world.blocked):
        session.execute(sa.insert(Block).values(organisation_id=who, at=0))
    return ids


@given(worlds())
def test_everybody_sees_exactly_what_the_rule_says(made: tuple[World, list[list[tuple[str, str, int]]]]) -> None:
    world, done = made
    with memory() as session:
        build(session, world, done)
        for viewer in ("", *ORGANISATIONS):
            seen = set(session.scalars(sa.select(Thread.id).where(policy.visible(Thread, partner(viewer)))))
            assert seen == {f"t{n}" for n, thing in enumerate(world.things) if world.sees(viewer, thing)}, viewer


@given(worlds())
def test_who_is_sent_a_thing_may_see_it_and_who_may_not_is_sent_nothing(made: tuple[World, list[list[tuple[str, str, int]]]]) -> None:
    world, done = made
    with memory() as session:
        ids = build(session, world, done)
        for number, (group_number, label, author, _) in enumerate(world.things):
            group = world.groups[group_number]
            sent = set(session.scalars(policy.recipients(), {"audience": ids[group_number]}))
            assert sent == set(group.inside)
            for who in ORGANISATIONS:
                clause = sa.select(Thread.id).where(policy.visible(Thread, Viewer(who, "someone")), Thread.id == f"t{number}")
                sees = session.execute(clause).first() is not None
                assert not (sees and label != CLEAR) or who in sent
                late = not group.history and group.inside.get(who, 0) > world.things[number][3]
                assert not (who in sent and author not in world.blocked and not late) or sees


@given(worlds())
def test_a_group_is_known_to_those_inside_and_a_public_one_to_all_but_none_of_a_blocked_host(
    made: tuple[World, list[list[tuple[str, str, int]]]],
) -> None:
    world, done = made
    with memory() as session:
        ids = build(session, world, done)
        for viewer in ("", *ORGANISATIONS):
            seen = set(session.scalars(sa.select(Audience.id).where(policy.sees_group(partner(viewer)))))
            expected = {
                ids[n]
                for n, group in enumerate(world.groups)
                if (group.label == CLEAR or viewer in group.inside) and "ours" not in world.blocked
            }
            assert seen == expected


@given(
    worlds(), st.lists(st.tuples(ORGANISATION, st.sampled_from(["me", "g0"]), st.sampled_from([ACCEPTED, REQUESTED, UNDONE])), max_size=8)
)
def test_followers_are_never_more_than_those_inside(
    made: tuple[World, list[list[tuple[str, str, int]]]], asked: list[tuple[str, str, str]]
) -> None:
    world, done = made
    with memory() as session:
        ids = build(session, world, done)
        kept = {(who, target): state for who, target, state in asked}
        for number, ((who, target), state) in enumerate(kept.items()):
            row = dict(id=f"f{number}", uri=f"f{number}", follower_id=who, target_id=target, state=state, created_at=0)
            session.execute(sa.insert(Follow).values(row))
        found = outbox.followers(session, ids[0], "me", "g0")
        accepted = {who for (who, _), state in kept.items() if state == ACCEPTED}
        assert sorted(found) == sorted(accepted & set(world.groups[0].inside))


ANY = st.one_of(st.sampled_from(LABELS), st.text(max_size=12))


@given(st.lists(ANY, min_size=1, max_size=5))
def test_the_narrowest_label_does_not_depend_on_order_and_an_unknown_one_is_as_narrow_as_any(labels: list[str]) -> None:
    found = policy.narrowest(*labels)
    rank = {label: LABELS.index(label) if label in LABELS else LABELS.index(RED) for label in labels}
    assert found in labels
    assert rank[found] == max(rank.values()) == rank[policy.narrowest(*reversed(labels))]
    assert policy.narrowest(found, *labels) == found
    assert policy.narrowest() == RED


@given(st.sampled_from(LABELS), st.sampled_from(LABELS), st.sampled_from(LABELS))
def test_wider_and_narrowest_are_one_order(one: str, other: str, third: str) -> None:
    assert policy.is_wider(one, other) == (one != other and policy.narrowest(one, other) == other)
    assert policy.narrowest(policy.narrowest(one, other), third) == policy.narrowest(one, policy.narrowest(other, third))


def test_what_this_node_cannot_keep_yet_is_refused_with_what_to_choose() -> None:
    assert [policy.check_label(label) for label in (CLEAR, GREEN, STRICT)] == [CLEAR, GREEN, STRICT]
    for label in (AMBER, RED):
        with pytest.raises(Refused, match=r"is for what is sealed.* choose TLP:"):
            policy.check_label(label)
    with pytest.raises(BadRequest, match="must be one of"):
        policy.check_label("TLP:WHITE")
    assert [policy.check_leaves(label) for label in (CLEAR, GREEN)] == [CLEAR, GREEN]
    with pytest.raises(Refused, match="never leaves the node"):
        policy.check_leaves(STRICT)


@given(worlds())
def test_a_query_built_once_shows_each_viewer_what_one_built_for_them_does(made: tuple[World, list[list[tuple[str, str, int]]]]) -> None:
    world, done = made
    things, known = sa.select(Thread.id).where(policy.visible(Thread)), sa.select(Audience.id).where(policy.sees_group())
    with memory() as session:
        build(session, world, done)
        for viewer in map(partner, ("", *ORGANISATIONS)):
            for once, theirs in (
                (things, sa.select(Thread.id).where(policy.visible(Thread, viewer))),
                (known, sa.select(Audience.id).where(policy.sees_group(viewer))),
            ):
                assert set(prepared(session, once, policy.asked_by(viewer)).scalars()) == set(session.scalars(theirs)), viewer


def test_a_query_built_once_does_not_run_without_a_viewer() -> None:
    with memory() as session, pytest.raises(KeyError, match="looking"):
        prepared(session, sa.select(Thread.id).where(policy.visible(Thread)), {})
