"""Decides what a measured node holds: a member, a group of thirteen organisations, conversations of 50 posts in four languages."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fedcollab.actors.models import ORGANIZATION, PERSON, Actor
from fedcollab.actors.node import Node
from fedcollab.app import STOCKS, make_kernel
from fedcollab.base import config, markup
from fedcollab.base.clock import HOUR, new_id
from fedcollab.base.database import run_sync
from fedcollab.base.paths import NodeFiles
from fedcollab.base.session import Session
from fedcollab.base.web import cookie_name
from fedcollab.demo import ANSWERS, CASTS, OPENER
from fedcollab.features.discussions import groups, service
from fedcollab.features.discussions.models import Post, Thread
from fedcollab.features.members import service as members
from fedcollab.features.members import sessions
from fedcollab.federation.models import ADMITTED, Partner
from fedcollab.search import filling
from fedcollab.setup import init

PARTNERS, POSTS = 12, 50
TEXTS = [markup.render(f"{text}\n\n{text}") for text in (OPENER[1], *ANSWERS)]


@dataclass(frozen=True)
class Stocked:
    """A node ready to be served: its address, a signed-in member's cookie, the last conversation."""

    place: Path
    port: int
    cookie: str
    thread_id: str
    group_id: str


def fill(place: Path, port: int, posts: int, peers: tuple[int, ...] = ()) -> Stocked:
    """Makes a node that holds so many posts, 50 a conversation."""
    listen = f"127.0.0.1:{port}"
    written: dict[str, object] = {"name": CASTS[0].name, "base_url": f"http://{listen}", "listen": listen, "trial": True}
    settings = init(place, written | ({"loopback_peers": tuple(f"127.0.0.1:{peer}" for peer in peers)} if peers else {}))
    kernel = make_kernel(config.load(place, {}), NodeFiles(place))
    try:
        token, thread_id, group_id = run_sync(kernel.database, lambda session: _stock(session, kernel.node, posts))
        run_sync(kernel.database, lambda session: _in_the_index(session, kernel.node))
    finally:
        kernel.database.close()
    return Stocked(place, port, f"{cookie_name(settings, 'session')}={token}", thread_id, group_id)


def _stock(session: Session, node: Node, posts: int) -> tuple[str, str, str]:
    member = members.add_member(session, node, None, username="ilse", name="Ilse V.", roles=["admin", "moderator", "member"])
    token = sessions.start_session(session, node, member.person_id, "bench")
    found = sessions.signed_in(session, node, token)
    assert found is not None
    group = groups.create(session, node, found.viewer, slug="leads", name="Leads", label="TLP:GREEN")
    authors = [(found.viewer.person_id, found.viewer.organisation_id), *_partners(session, node)]
    first = service.post_thread(session, node, found.viewer, group.id, title=OPENER[0], text=OPENER[1], language="en")
    for _ in range(posts // POSTS):
        last = _conversation(session, node, first.thread_id, authors)
    return token, last, group.id


def _in_the_index(session: Session, node: Node) -> None:
    """What is stored counts as found, so that a measured node does not spend its time on putting it in."""
    while filling.fill(session, node, STOCKS):
        pass


def _partners(session: Session, node: Node) -> list[tuple[str, str]]:
    """(person, organisation) of each partner, admitted and inside the group; the last person is known through another organisation."""
    made: list[tuple[str, str]] = []
    for at in range(PARTNERS):
        host, name = f"node{at}.example", CASTS[at % len(CASTS)].people[0][1]
        organisation, person = new_id(node.now()), new_id(node.now())
        through = made[0][1] if at == PARTNERS - 1 else None
        for row in (
            actor_row(node, organisation, ORGANIZATION, host, CASTS[at % len(CASTS)].name, organisation, None),
            actor_row(node, person, PERSON, host, name, organisation, through),
        ):
            session.execute(sa.insert(Actor).values(row))
        row = dict(id=new_id(node.now()), organisation_id=organisation, host=host, state=ADMITTED, people=5 + at, created_at=node.now())
        session.execute(sa.insert(Partner).values(row))
        groups.admit_partner(session, node, organisation)
        made.append((person, organisation))
    return made


def actor_row(node: Node, actor_id: str, kind: str, host: str, name: str, organisation_id: str, through_id: str | None) -> dict[str, Any]:
    """An actor of another node."""
    uri, known = f"https://{host}/{'actor' if kind == ORGANIZATION else f'people/{actor_id}'}", "introduced" if through_id else "partner"
    times = dict(created_at=node.now(), updated_at=node.now())
    names = dict(username=actor_id, name=name, host=host, inbox=uri + "/inbox")
    return dict(id=actor_id, uri=uri, kind=kind, organisation_id=organisation_id, known=known, through_id=through_id, **names, **times)


def _conversation(session: Session, node: Node, pattern: str, authors: list[tuple[str, str]]) -> str:
    """A conversation of 50 posts beside the one that a service has made; answers its id."""
    row = dict(session.execute(sa.select(Thread.__table__).where(Thread.id == pattern)).mappings().one())
    thread_id, now = new_id(node.now()), node.now()
    session.execute(
        sa.insert(Thread).values(row | dict(id=thread_id, uri=node.settings.uri(f"/threads/{thread_id}"), posts=POSTS, last_post_at=now))
    )
    session.execute(sa.insert(Post), list(_posts(session, node, pattern, thread_id, authors)))
    return thread_id


def _posts(session: Session, node: Node, pattern: str, thread_id: str, authors: list[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """One post in three hours: some of today, most of the days before; one in ten was changed, one in fifty taken away."""
    row = dict(session.execute(sa.select(Post.__table__).where(Post.thread_id == pattern)).mappings().one())
    for place in range(1, POSTS + 1):
        post_id, at, author = new_id(node.now()), node.now() - (POSTS - place) * 3 * HOUR, authors[place % len(authors)]
        gone = place == POSTS // 2
        what = dict(html="" if gone else TEXTS[place % len(TEXTS)], language=("en", "en", "fr", "ar", "es", "en")[place % 6])
        when = dict(posted_at=at, confirmed_at=at, edited_at=at if place % 10 == 0 else None, deleted_at=at if gone else None)
        names = dict(id=post_id, uri=node.settings.uri(f"/posts/{post_id}"), thread_id=thread_id, place=place)
        yield row | names | what | when | dict(author_id=author[0], organisation_id=author[1])
