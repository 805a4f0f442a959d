"""Decides what an admin sees of a node that has come out of a backup: what partners have given back, and what has to be looked at."""

from dataclasses import dataclass

import sqlalchemy as sa
from aiohttp import web

from fedcollab.access.viewer import ADMIN
from fedcollab.actors.models import OWN, Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY
from fedcollab.base.errors import NotFound
from fedcollab.base.model import aliased
from fedcollab.base.session import Session
from fedcollab.feature import HomeNote, admin_of, page
from fedcollab.features.discussions.models import Post
from fedcollab.federation.kernel import KERNEL
from fedcollab.federation.models import ADMITTED, REFUSED, Application, InboxItem, Partner
from fedcollab.running.models import Said

NAME = "backup"  # in `said`: the value is when it had been made
SHOWN, AT_HOME = 45, 14  # days
MOST = 50


@dataclass(frozen=True)
class Asked:
    """A partner that is asked for what it has sent since: whether all of that is here again, else why not yet."""

    id: str
    name: str
    host: str
    whole: bool
    error: str


@dataclass(frozen=True)
class After:
    """A node that stands as it was at `made_at` since `at`: its partners, how many of our own posts came back, which answers are to posts
    that are not here (their ids and authors), how much was refused, and which hosts speak to us that are no partners (any more)."""

    at: int
    made_at: int
    partners: list[Asked]
    back: int
    answers: list[tuple[str, str]]
    refused: int
    strangers: list[str]

    @property
    def whole(self) -> bool:
        return all(one.whole for one in self.partners)


def last(session: Session, node: Node, days: int) -> tuple[int, int] | None:
    """(when this node came out of a backup, when that had been made), if it was in the last `days`."""
    row = session.execute(sa.select(Said.at, Said.value).where(Said.name == NAME, Said.at > node.now() - days * DAY)).one_or_none()
    return (row.at, int(row.value)) if row else None


def remember(session: Session, node: Node, made_at: int) -> None:
    """The node comes out of a backup that was made then."""
    session.execute(sa.delete(Said).where(Said.name == NAME))
    session.execute(sa.insert(Said).values(name=NAME, value=str(made_at), at=node.now()))


def look(session: Session, node: Node) -> After:
    """Raises NotFound where there was none lately."""
    found = last(session, node, SHOWN)
    if found is None:
        raise NotFound()
    at, made_at = found
    since = sa.and_(Post.confirmed_at >= at, Post.posted_at > made_at)
    ours = sa.select(sa.func.count()).select_from(Post).join(Actor, Actor.id == Post.author_id)
    back = session.scalar(ours.where(since, Post.posted_at <= at, Actor.known == OWN)) or 0
    refused = sa.select(sa.func.count()).select_from(InboxItem).where(InboxItem.state == REFUSED, InboxItem.received_at >= at)
    strangers = sa.select(Application.host).where(Application.last_at >= at).order_by(Application.host).limit(MOST)
    return After(
        at, made_at, _asked(session, at), back, _answers(session, node, at), session.scalar(refused) or 0, list(session.scalars(strangers))
    )


def _asked(session: Session, at: int) -> list[Asked]:
    query = sa.select(Partner.id, Actor.name, Partner.host, Partner.whole_at, Partner.resync_error)
    rows = session.execute(query.join(Actor, Actor.id == Partner.organisation_id).where(Partner.state == ADMITTED).order_by(Actor.name))
    return [Asked(row.id, row.name, row.host, (row.whole_at or 0) >= at, row.resync_error) for row in rows]


def _answers(session: Session, node: Node, at: int) -> list[tuple[str, str]]:
    """What came in since and answers something of this node that is not here: it was written after the backup."""
    there = aliased(Post)
    lost = sa.and_(Post.reply_to.startswith(node.settings.base_url + "/", autoescape=True), ~sa.exists().where(there.uri == Post.reply_to))
    query = sa.select(Post.id, Actor.name).join(Actor, Actor.id == Post.author_id)
    rows = session.execute(query.where(Post.confirmed_at >= at, lost, Post.deleted_at.is_(None)).order_by(Post.confirmed_at).limit(MOST))
    return [(row.id, row.name) for row in rows]


async def show(request: web.Request) -> web.Response:
    """The page; for a node that has not come out of a backup there is none."""
    admin_of(request)
    kernel = request.app[KERNEL]
    return page(request, "admin/restored.html", found=await kernel.database.read(look, kernel.node))


def at_home(session: Session, node: Node) -> tuple[int, int] | None:
    """For two weeks admins read at home where to look."""
    return last(session, node, AT_HOME)


NOTE = HomeNote("admin/restored_note.html", ADMIN, at_home)
ROUTES = (web.get("/admin/restored", show),)
