"""Gives moderation's tests a home node in memory: a moderator, a member, and a partner that follows it with an author of its own."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access.viewer import MODERATOR, Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import PERSON
from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.features.discussions import groups, reading, service
from fedcollab.federation.models import ACCEPTED, Follow
from tests.rows import START, Hands, home, memory, node, partner, quick_keys, refused


@dataclass
class Home:
    """A node whose moderator is mona and whose member is daan, and a partner p.example that follows it."""

    session: Session
    node: Node
    clock: Hands
    mona: Viewer
    daan: Viewer
    partner_id: str

    def group(self, label: str = "TLP:GREEN", slug: str = "leads") -> actors.ActorData:
        return groups.create(self.session, self.node, self.mona, slug=slug, name="Leads", label=label)

    def thread(self, label: str = "TLP:GREEN", text: str = "words of daan") -> service.Posted:
        self.clock.at += 1
        return service.post_thread(self.session, self.node, self.daan, self.group(label).id, title="A question", text=text)

    def do(self, work: Any, *args: Any, **kwargs: Any) -> Any:
        self.clock.at += 1
        return work(self.session, self.node, *args, **kwargs)

    def no(self, work: Any, *args: Any, **kwargs: Any) -> str:
        return refused(self.session, work, self.session, self.node, *args, **kwargs)

    def seen(self, viewer: Viewer, thread_id: str) -> list[reading.PostView]:
        return reading.posts(self.session, viewer, thread_id)

    def sent(self) -> list[dict[str, Any]]:
        """What waits for the partner, in order; of what a group passes on, the activity inside."""
        query = "SELECT a.body FROM delivery d JOIN activity a ON a.id = d.activity_id WHERE d.state = 'waiting' ORDER BY d.seq"
        bodies = [json.loads(body) for body in self.session.scalars(sa.text(query))]
        return [body["object"] if body["type"] == "Announce" else body for body in bodies]

    def delivered(self) -> None:
        """The partner has taken all that waits for it."""
        self.session.execute(sa.text("UPDATE delivery SET state = 'done' WHERE state = 'waiting'"))

    def record(self) -> list[str]:
        return list(self.session.scalars(sa.text("SELECT action FROM audit_entry ORDER BY seq")))


@pytest.fixture
def here() -> Iterator[Home]:
    clock = Hands()
    with memory() as session, quick_keys():
        at = node(clock)
        me = home(session, at)
        people = [actors.create_own(session, at, PERSON, username=name, name=name.title()) for name in ("mona", "daan")]
        there = partner(session, at, "p.example")
        row = dict(id="f", uri="f", follower_id=there.organisation_id, target_id=me.id, state=ACCEPTED, created_at=START)
        session.execute(sa.insert(Follow).values(row))
        viewers = [Viewer(me.id, p.id, frozenset({"member", *extra}), p.name) for p, extra in zip(people, ([MODERATOR], []), strict=True)]
        yield Home(session, at, clock, *viewers, there.organisation_id)
