"""Shows that the bound on words for others bounds new ones alone: the last word about somebody counts, however many there are."""

from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.base.errors import Refused
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import vouching
from fedcollab.federation.models import Vouch
from fedcollab.federation.registry import Verified
from tests.rows import START, Hands, home, memory, node, partner


def test_at_the_bound_a_word_is_renewed_and_a_new_one_is_refused() -> None:
    at = node(Hands())
    with memory() as session:
        home(session, at)
        there = partner(session, at, "p.example")
        row: dict[str, Any] = dict(by_id=there.organisation_id, keys="0" * 64, at=START)
        known = [f"https://h{number}.example/actor" for number in range(vouching.MOST)]
        session.execute(sa.insert(Vouch), [row | dict(about_uri=uri, about_host=uri.split("/")[2]) for uri in known])
        say(session, at, there.organisation_id, known[0])
        assert session.scalar(sa.select(Vouch.keys).where(Vouch.about_uri == known[0])) == "f" * 64
        with pytest.raises(Refused, match="more than 500"):
            say(session, at, there.organisation_id, "https://new.example/actor")


def say(session: Session, at: Any, by_id: str, about: str) -> None:
    by = actors.by_id(session, by_id)
    offer = {"type": "Offer", "actor": by.uri, "object": {"type": ap.VOUCH, "object": about, ap.KEYS: "f" * 64}}
    vouching.receive(session, at, Verified(offer, by, by))
