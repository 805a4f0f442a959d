"""Shows that posts and conversations come to the same state on two nodes, in whatever order and however often acts and undoings come."""

from typing import Any

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from fedcollab.features.discussions.models import Post, Thread
from tests.rows import home, memory, node

from .elsewhere import Elsewhere

HISTORIES = st.lists(st.sampled_from(["remove", "restore", "lock", "unlock", "delete", "again"]), max_size=8)


def history(place: Elsewhere, steps: list[str]) -> tuple[list[dict[str, Any]], dict[str, bool]]:
    """What the home node did, as the activities that it passed on, and the state that it ended in. Two moderators may do one thing."""
    sent: list[dict[str, Any]] = []
    standing: dict[str, list[dict[str, Any]]] = {"remove": [], "lock": []}
    deleted = False
    for step in steps:
        if step in ("remove", "again", "lock"):
            kind = "lock" if step == "lock" else "remove"
            made = place.act("Lock" if kind == "lock" else "Delete", place.context if kind == "lock" else place.post)
            standing[kind].append(made)
            sent.append(made)
        elif step in ("restore", "unlock"):
            kind = "remove" if step == "restore" else "lock"
            sent += [place.undo(made) for made in standing[kind]]
            standing[kind] = []
        elif not deleted:
            deleted = True
            sent.append(place.deletion())
    return sent, {"removed": bool(standing["remove"]), "locked": bool(standing["lock"]), "deleted": deleted}


def found(place: Elsewhere) -> dict[str, Any]:
    """The state here: what is readable, and whether anything may be answered."""
    post = place.session.execute(sa.select(Post.html, Post.removed, Post.deleted_at).where(Post.uri == place.post)).one_or_none()
    locked = place.session.execute(sa.select(Thread.locked).where(Thread.uri == place.context)).scalar_one_or_none()
    gone = post is None or post.deleted_at is not None
    removed, html = (False, "") if gone else (post.removed is not None, post.html)
    return {"deleted": gone, "removed": removed, "locked": locked is not None, "html": html}


def played(steps: list[str], order: list[int], *, ours: bool) -> tuple[dict[str, Any], dict[str, bool]]:
    """One node that gets everything in this order (some of it twice), then what the home node sends again after restoring."""
    with memory() as session:
        at = node()
        home(session, at)
        place = Elsewhere(session, at, ours=ours)
        create = place.create()
        sent, ends = history(place, steps)
        waiting = [create, *sent]
        for number in order:
            place.announce(waiting[number % len(waiting)])
        for activity in waiting:  # nothing is lost for good: whatever has not come yet comes at last
            place.announce(activity)
        place.announce(create)
        place.announce(place.create(f"https://{place.author.host}/posts/p2", inReplyTo=place.post))  # the conversation is there at last
        return found(place), ends


@settings(max_examples=30)
@given(HISTORIES, st.lists(st.integers(0, 40), max_size=20), st.lists(st.integers(0, 40), max_size=20))
def test_two_nodes_come_to_the_state_of_the_home_node_in_any_order(steps: list[str], one: list[int], other: list[int]) -> None:
    first, ends = played(steps, one, ours=False)
    second, _ = played(steps, other, ours=False)
    assert first == second
    assert first["deleted"] is ends["deleted"]
    if not ends["deleted"]:
        assert (first["removed"], first["locked"]) == (ends["removed"], ends["locked"])
        assert first["html"] == ("" if ends["removed"] else "<p>words</p>")


@settings(max_examples=30)
@given(HISTORIES.map(lambda steps: [step for step in steps if step != "delete"]), st.lists(st.integers(0, 40), max_size=20))
def test_the_authors_own_node_comes_to_it_too_and_keeps_the_text(steps: list[str], order: list[int]) -> None:
    state, ends = played(steps, order, ours=True)
    assert (state["removed"], state["locked"]) == (ends["removed"], ends["locked"])
    assert state["html"] == "<p>words</p>"
