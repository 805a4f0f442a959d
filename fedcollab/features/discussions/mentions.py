"""Decides who is mentioned in a post: people inside its group, by @name or @name@host. Nobody outside is told, and nobody is flooded."""

import html as escaping
import re
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.access.models import CLEAR, AudienceMember
from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import OWN, PERSON, Actor
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base import markup
from fedcollab.base.clock import HOUR
from fedcollab.base.model import aliased
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import profiles
from fedcollab.federation.registry import Verified

from . import groups
from .models import Mention, Post, Thread
from .moderation.models import Mute

MOST = 50  # in one post
PER_HOUR = 200  # of our people by one organisation's
SHOWN = 20
NAME = re.compile(r"(?<![\w@/.=+-])@([A-Za-z0-9](?:[\w.-]*\w)?)(?:@([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?))?(?![\w@])")
LINK = re.compile(r'<a href="([^"<>]*)"([^<>]*)>(?:(@[^<>]*)</a>)?')
MEMBER = re.compile(r"https?://[^/]+/people/[0-9a-f-]{36}")  # the page of somebody on a node like ours, for its own members alone
NAMED = ">@"  # how the text of a link to somebody begins, ours and others'
MOST_LINKS = 500  # in what one page shows, of those that may lead to somebody
PIECES = re.compile(r'(<(?:"[^"]*"|[^"<>])*>)')  # tags, with what stands between them
QUOTED = ("a", "code", "pre", "kbd", "samp")


class Named(NamedTuple):
    """Somebody who can be mentioned."""

    id: str
    uri: str
    username: str
    host: str
    known: str

    @property
    def handle(self) -> str:
        return f"@{self.username}@{self.host}"


def render(session: Session, group: ActorData, text: str) -> tuple[str, list[Named]]:
    """A member's Markdown as safe HTML with a link for each person inside the group that it names, and those people. Raises TooLarge."""
    return name(session, group, text, markup.render(text))


def name(session: Session, group: ActorData, text: str, html: str) -> tuple[str, list[Named]]:
    """The same for a text that is rendered already."""
    asked = dict.fromkeys((m[1].lower(), (m[2] or "").lower()) for m in NAME.finditer(text))
    found = _inside(session, group, {name for name, _ in list(asked)[:MOST]}) if asked else []
    meant = {key: one for key in list(asked)[:MOST] if (one := _meant(*key, found))}
    return (_linked(html, meant) if meant else html), list(dict.fromkeys(meant.values()))


def _inside(session: Session, group: ActorData, names: set[str]) -> list[Named]:
    """The people of these names whose organisation is inside the group, as its host's list says."""
    listed = [one.uri for one in groups.inside(session, profiles.stored_document(session, group.id))]
    audience = groups.audience_of(session, group.id)
    members = sa.select(AudienceMember.organisation_id).where(AudienceMember.audience_id == audience.id)
    organisations = members.union(sa.select(Actor.id).where(Actor.uri.in_(listed))).subquery().select()
    there = sa.and_(Actor.kind == PERSON, Actor.disabled_at.is_(None), Actor.works_for == "", Actor.organisation_id.in_(organisations))
    query = sa.select(Actor.id, Actor.uri, Actor.username, Actor.host, Actor.known).where(there, sa.func.lower(Actor.username).in_(names))
    return [Named(*row) for row in session.execute(query.where(policy.not_blocked(Actor.organisation_id)).order_by(Actor.id))]


def _meant(name: str, host: str, found: list[Named]) -> Named | None:
    """Whom a name means: without a host one of ours, else the only one inside who is called so."""
    called = [one for one in found if one.username.lower() == name and host in ("", one.host)]
    ours = [one for one in called if one.known == OWN]
    best = called if host else ours or called
    return best[0] if len(best) == 1 else None


def _linked(html: str, meant: dict[tuple[str, str], Named]) -> str:
    """Names become links where they stand in running text: not in a link, not in code."""
    made, within = list[str](), 0

    def link(match: re.Match[str]) -> str:
        one = meant.get((match[1].lower(), (match[2] or "").lower()))
        return f'<a href="{escaping.escape(one.uri)}" rel="{markup.REL}">{match[0]}</a>' if one else match[0]

    for piece in PIECES.split(html):
        if piece.startswith("<"):
            tag = piece[1:-1].lstrip("/").split(" ")[0]
            within += (-1 if piece.startswith("</") else 1) if tag in QUOTED else 0
        made.append(piece if within or piece.startswith("<") else NAME.sub(link, piece))
    return "".join(made)


def at_home(session: Session, texts: list[str]) -> list[str]:
    """Texts for this node's members, in which names of people lead to our own pages of them, and the name of somebody of whom nothing is
    known here to nowhere: their own node would ask ours for a password. The very same texts where nobody is named."""
    named = {at: text for at, text in enumerate(texts) if NAMED in text}
    if not named:
        return texts
    found = dict.fromkeys(escaping.unescape(match[1]) for text in named.values() for match in LINK.finditer(text))
    pages: dict[str, str] = dict(prepared(session, _pages(), {"uris": list(found)[:MOST_LINKS]}))

    def link(match: re.Match[str]) -> str:
        uri, name = escaping.unescape(match[1]), match[3]
        if name and uri not in pages and MEMBER.fullmatch(uri):
            return name
        return match[0].replace(match[1], f"/people/{pages[uri]}", 1) if uri in pages else match[0]

    return [LINK.sub(link, text) if at in named else text for at, text in enumerate(texts)]


@cache
def _pages() -> sa.Select[Any]:
    columns: list[Any] = [Actor.uri, Actor.id]
    query = sa.select(*columns).where(Actor.uri.in_(sa.bindparam("uris", expanding=True)), Actor.kind == PERSON)
    return query.where(policy.not_blocked(Actor.organisation_id))


def keep(session: Session, node: Node, post_id: str, author_id: str, people: Iterable[str], *, fresh: bool = False) -> None:
    """Makes the post's mentions these people; who was mentioned before and is still is told no second time. It is news to our own. A
    `fresh` post had none before."""
    wanted, there = set(people), set[str]()
    if not fresh:
        session.execute(sa.delete(Mention).where(Mention.post_id == post_id, Mention.person_id.not_in(wanted)))
        there = set(session.scalars(sa.select(Mention.person_id).where(Mention.post_id == post_id)))
    if wanted <= there:
        return
    own = set(session.scalars(sa.select(Actor.id).where(Actor.id.in_(wanted - there), Actor.known == OWN, Actor.id != author_id)))
    rows = [dict(post_id=post_id, person_id=p, at=node.now(), seen_at=None if p in own else node.now()) for p in sorted(wanted - there)]
    session.execute(sa.insert(Mention), rows)


def tags(session: Session, post_id: str) -> tuple[tuple[str, str], ...]:
    """(id, handle) of whom a post mentions, as its object says them."""
    query = sa.select(Actor.id, Actor.uri, Actor.username, Actor.host, Actor.known).join(Mention, Mention.person_id == Actor.id)
    return tuple(
        (one.uri, one.handle) for one in map(Named._make, session.execute(query.where(Mention.post_id == post_id).order_by(Actor.id)))
    )


def receive(session: Session, node: Node, received: Verified, post_id: str, *, fresh: bool = False) -> None:
    """Stores whom of our people a partner's post mentions, if it is for us to read: 50 at most, and 200 an hour by one organisation."""
    found = received.object.get("tag")
    named = [t.get("href") for t in (found if isinstance(found, list) else [found]) if isinstance(t, dict) and "Mention" in ap.types(t)]
    folder = node.settings.uri("/people/")
    ours = list(dict.fromkeys(uri for uri in named if isinstance(uri, str) and uri.startswith(folder)))[:MOST]
    if not ours:
        keep(session, node, post_id, received.actor.id, (), fresh=fresh)
        return
    here = sa.select(Actor.organisation_id).where(Actor.uri == node.actor_uri).scalar_subquery()
    inside = sa.exists().where(AudienceMember.audience_id == Post.audience_id, AudienceMember.organisation_id == here)
    reads = sa.exists().where(Post.id == post_id, sa.or_(Post.label == CLEAR, inside))
    there = sa.and_(Actor.uri.in_(ours), actors.our_people(), reads)
    people = session.scalars(sa.select(Actor.id).where(there).order_by(Actor.id)).all()
    left = max(0, PER_HOUR - _of_late(session, node, received.actor.organisation_id, post_id)) if people else 0
    keep(session, node, post_id, received.actor.id, people[:left], fresh=fresh)


def _of_late(session: Session, node: Node, organisation_id: str, post_id: str) -> int:
    query = sa.select(sa.func.count()).select_from(Mention).join(Post, Post.id == Mention.post_id)
    recent = sa.and_(Mention.at > node.now() - HOUR, Post.organisation_id == organisation_id, Post.id != post_id)
    return session.execute(query.where(recent)).scalar_one()


class News(NamedTuple):
    """A post that mentions the viewer, which they have not looked at yet."""

    post_id: str
    title: str | None
    author: str
    known: str
    host: str
    at: int


def news(session: Session, viewer: Viewer) -> list[News]:
    """What mentions the viewer and is still theirs to see, newest first, at most 20; nothing by whom or in what they have muted."""
    return [News(*row) for row in prepared(session, _news_query(), policy.asked_by(viewer) | {"person": viewer.person_id}).all()]


@cache
def _news_query() -> sa.Select[Any]:
    author = aliased(Actor)
    title = sa.case((sa.and_(policy.visible(Thread), Thread.untitled.is_(False)), Thread.title), else_=None)
    columns: tuple[Any, ...] = (Post.id, title, author.name, author.known, author.host, Mention.at)
    query = sa.select(*columns).join(Post, Post.id == Mention.post_id).join(Thread, Thread.id == Post.thread_id)
    query = query.join(author, author.id == Post.author_id).where(Mention.person_id == sa.bindparam("person"), Mention.seen_at.is_(None))
    query = query.where(~sa.exists().where(Mute.person_id == Mention.person_id, Mute.subject_id.in_((Post.author_id, Post.thread_id))))
    return query.where(Post.deleted_at.is_(None), policy.visible(Post)).order_by(Mention.at.desc(), Post.id.desc()).limit(SHOWN)


def unseen(session: Session, viewer: Viewer, thread_id: str) -> list[str]:
    """The posts of a conversation that mention the viewer and are still news to them."""
    return list(prepared(session, _unseen_query(), {"person": viewer.person_id, "thread": thread_id}).scalars())


@cache
def _unseen_query() -> sa.Select[Any]:
    mine = Mention.person_id == sa.bindparam("person"), Mention.seen_at.is_(None)
    return sa.select(Mention.post_id).join(Post, Post.id == Mention.post_id).where(*mine, Post.thread_id == sa.bindparam("thread"))


def see(session: Session, node: Node, viewer: Viewer, post_ids: list[str]) -> None:
    """They have looked at these posts: no news any more."""
    mine = sa.and_(Mention.person_id == viewer.person_id, Mention.post_id.in_(post_ids), Mention.seen_at.is_(None))
    session.execute(sa.update(Mention).where(mine).values(seen_at=node.now()))
