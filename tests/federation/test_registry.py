"""Shows which handlers an activity reaches, and that what a group passes on reaches only those that take it from another's hands."""

from typing import Any

import pytest

from fedcollab.actors.service import ActorData
from fedcollab.app import FEATURES
from fedcollab.federation.registry import Registry, Verified


def actor(kind: str, path: str) -> ActorData:
    uri = f"https://a.example/{path}"
    return ActorData(path, uri, kind, path, path, "", "a.example", "actor", uri + "/inbox", "partner", None, 0, None)


ACTOR, GROUP = actor("Organization", "actor"), actor("Group", "g")
HOUSE = Registry(handler for feature in FEATURES for handler in feature.handlers)


def names(activity: dict[str, Any], *, through: ActorData | None = None) -> list[str]:
    return [work.__name__ for work in HOUSE.find(Verified(activity, ACTOR, ACTOR, through))]


@pytest.mark.parametrize(
    "activity",
    [
        {"type": "Follow", "object": "https://me.example/actor"},
        {"type": "Accept", "object": {"type": "Follow"}},
        {"type": "Undo", "object": {"type": "Follow"}},
        {"type": "Update", "object": {"type": "Organization"}},
        {"type": "Update", "object": {"type": "Group"}},
    ],
)
def test_what_an_organisation_says_of_itself_is_taken_from_itself_alone(activity: dict[str, Any]) -> None:
    assert names(activity)
    assert names(activity, through=GROUP) == []


@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_posts_are_taken_from_their_author_and_from_the_group_that_passes_them_on(kind: str) -> None:
    activity = {"type": kind, "object": {"type": "Note"}}
    assert len(names(activity)) == 1
    assert names(activity, through=GROUP) == names(activity)


def test_a_type_that_nobody_handles_reaches_nobody_and_several_types_reach_each_of_theirs() -> None:
    assert names({"type": "Travel", "object": {"type": "Note"}}) == []
    assert names({"type": ["Travel", "Create"], "object": {"type": ["Odd", "Note"]}}) == ["receive_create"]


def test_what_is_undone_by_its_id_alone_reaches_all_that_could_know_it() -> None:
    assert names({"type": "Undo", "object": "https://a.example/activities/1"}) == ["receive_undo", "receive_undo"]
    assert names({"type": "Undo", "object": {"type": "Like"}}, through=GROUP) == ["receive_undo"]


@pytest.mark.parametrize("kind", ["Accept", "Reject", "Announce", "Update"])
def test_from_outside_only_what_is_written_thanked_or_followed_reaches_anybody(kind: str) -> None:
    for thing in ("Follow", "Group", "Person", "Organization"):
        assert HOUSE.find(Verified({"type": kind, "object": {"type": thing}}, ACTOR, ACTOR, outside=True)) == []
    [work] = HOUSE.find(Verified({"type": "Create", "object": {"type": "Note"}}, ACTOR, ACTOR, outside=True))
    assert work.__name__ == "receive_create"
    [follow] = HOUSE.find(Verified({"type": "Follow", "object": "https://me.example/groups/g"}, ACTOR, ACTOR, outside=True))
    assert follow.__module__ == "fedcollab.federation.outside"
