"""Decides what a newcomer is sent of the time before it: where newcomers see history, the newest conversations of the group, and that they
are locked."""

import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.access.models import Audience
from fedcollab.access.viewer import partner
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.federation import outbox
from fedcollab.federation.models import Activity
from fedcollab.federation.registry import Verified

from .models import Post, Thread
from .moderation.models import ModerationAct
from .moderation.state import LOCK

THREADS, ACTIVITIES = 50, 1000  # of each group, the newest


def receive_follow(session: Session, node: Node, received: Verified) -> None:
    """Who begins to follow is sent, by the same numbered deliveries as everybody, what the groups with open history passed on before."""
    viewer, me = partner(received.actor.organisation_id), actors.own(session, node)
    open_ones = sa.and_(Audience.owner_id == me.id, Audience.history, policy.of_group())
    ours = sa.select(Audience.group_id).where(open_ones, policy.sees_group(viewer))
    for group_id in session.scalars(ours.order_by(Audience.id)).all():
        newest = sa.select(Thread.id).where(Thread.group_id == group_id).order_by(Thread.last_post_at.desc(), Thread.id.desc())
        threads = newest.limit(THREADS).subquery().select()
        there = sa.and_(Post.thread_id.in_(threads), Post.deleted_at.is_(None), Post.removed.is_(None))
        seen = sa.select(Post.uri).where(there, policy.visible(Post, viewer))
        named = sa.select(Thread.uri).where(Thread.id.in_(threads))
        stands = sa.and_(ModerationAct.group_id == group_id, ModerationAct.kind == LOCK, ModerationAct.undone_at.is_(None))
        locks = sa.select(ModerationAct.uri).where(stands, ModerationAct.object_uri.in_(named))
        about = sa.or_(Activity.object_uri.in_(seen), Activity.object_uri.in_(locks))
        passed_on = sa.select(Activity.id, Activity.order_key).where(Activity.actor_id == group_id, about, Activity.body != "")
        last = session.execute(passed_on.order_by(Activity.created_at.desc(), Activity.id.desc()).limit(ACTIVITIES)).all()
        outbox.publish_again(session, viewer.organisation_id, [(row.id, row.order_key) for row in reversed(last)])
