"""Shows that thanks and their taking back come to the same in whatever order they arrive."""

import itertools
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.base.clock import iso
from fedcollab.base.errors import Refused
from fedcollab.federation import activitystreams as ap
from fedcollab.federation.registry import Verified
from tests.features.moderation.conftest import Home
from tests.features.moderation.elsewhere import PROOF, REGISTRY, Elsewhere, person
from tests.rows import START


def said(there: Elsewhere, actor: str, kind: str, obj: Any, at: int) -> ap.Document:
    proof = PROOF | {"verificationMethod": actor + "#ed25519-key", "created": iso(START + at * 1_000_000)}
    return ap.activity(kind, there.fresh(), actor, obj, context=there.context, proof=proof)


@pytest.mark.rule("R13")
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_thanks_said_and_taken_back_and_said_again_count_once_in_any_order(here: Home, order: tuple[int, ...]) -> None:
    there = Elsewhere(here.session, here.node)
    fan = person(here.session, there.host, "fan")
    assert there.announce(there.create()) == ""
    here.clock.at = START + 10_000_000
    like = said(there, fan.uri, "Like", there.post, 1)
    undo = said(there, fan.uri, "Undo", {"id": like["id"], "type": "Like", "actor": fan.uri, "object": there.post}, 2)
    steps = [like, undo, said(there, fan.uri, "Like", there.post, 3)]
    for number in order:
        assert there.announce(steps[number]) == ""
    assert here.session.execute(sa.text("SELECT count(*), count(undone_at) FROM thanks")).one() == (1, 0)
    assert there.announce(undo) == ""
    assert there.announce(like) == ""
    assert here.session.execute(sa.text("SELECT count(*), count(undone_at) FROM thanks")).one() == (1, 0), "old news"


@pytest.mark.rule("R13")
@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_thanks_that_were_taken_back_stay_so_in_any_order(here: Home, order: tuple[int, ...]) -> None:
    there = Elsewhere(here.session, here.node)
    fan = person(here.session, there.host, "fan")
    assert there.announce(there.create()) == ""
    here.clock.at = START + 10_000_000
    steps = []
    for at in (1, 3):
        like = said(there, fan.uri, "Like", there.post, at)
        undone = {"id": like["id"], "type": "Like", "actor": fan.uri, "object": there.post}
        steps += [like, said(there, fan.uri, "Undo", undone, at + 1)]
    for number in order:
        assert there.announce(steps[number]) == ""
    assert here.session.execute(sa.text("SELECT count(*) FROM thanks WHERE undone_at IS NULL")).scalar_one() == 0


def test_thanks_that_come_before_their_post_are_refused_so_that_they_are_tried_again(here: Home) -> None:
    there = Elsewhere(here.session, here.node)
    fan = person(here.session, there.host, "fan")
    like = said(there, fan.uri, "Like", there.post, 1)
    undo = said(there, fan.uri, "Undo", {"id": like["id"], "type": "Like", "actor": fan.uri, "object": there.post}, 2)
    for one in (like, undo):
        verified = Verified(one, fan, there.group, through=there.group)
        [*_, work] = REGISTRY.find(verified)
        with pytest.raises(Refused, match="no such post here"):
            work(here.session, here.node, verified)
