"""Decides what one look at home or at a conversation reads, all of it in one unit: each part adds its own line here and nowhere else."""

from dataclasses import dataclass

from fedcollab.access.viewer import Viewer
from fedcollab.base.session import Session
from fedcollab.files.service import FileData

from . import attaching, fate, groups, mentions, reading, thanks
from .moderation import muting, records
from .reach import Reach, reach


@dataclass(frozen=True)
class Home:
    """What a member finds at home; who has not signed in sees the public threads alone."""

    threads: list[reading.ListedThread]
    groups: dict[str, reading.GroupData]
    named: list[mentions.News]
    undelivered: list[fate.Undelivered]
    told: list[records.Told]


def home(session: Session, viewer: Viewer) -> Home:
    """What is new for somebody, in all groups."""
    groups = {group.actor.id: group for group in reading.groups(session, viewer)}
    if not viewer.signed_in:
        return Home(reading.as_public(session, viewer, reading.newest(session, viewer)), groups, [], [], [])
    return Home(
        reading.newest(session, viewer),
        groups,
        mentions.news(session, viewer),
        fate.undelivered(session, viewer),
        records.told(session, viewer, fresh=True),
    )


@dataclass(frozen=True)
class Conversation:
    """One page of a conversation, with what stands beside each post. `unseen` are posts that mention the viewer for the first time;
    `closed` says why nothing can be sent here; `carried` are the
    files of posts, `waiting` those of the viewer's draft."""

    thread: reading.ThreadData
    group: reading.GroupData
    reach: Reach
    posts: list[reading.PostView]
    draft: str
    read_place: int
    thanked: dict[str, thanks.Thanked]
    fates: dict[str, fate.Fate]
    unseen: list[str]
    muted: frozenset[str]
    closed: str
    carried: dict[str, list[FileData]]
    waiting: list[FileData]


def conversation(
    session: Session, viewer: Viewer, thread_id: str, number: int, now: int, chosen: attaching.Chosen = (None, ())
) -> Conversation:
    """The page of this number, with the files `chosen` for an answer. Raises NotFound as `reading.group` does."""
    around, posts = reading.around(session, viewer, thread_id), reading.posts(session, viewer, thread_id, number)
    texts = [post.html for post in posts]
    if viewer.signed_in and (here := mentions.at_home(session, texts)) is not texts:
        posts = [post if html is post.html else post._replace(html=html) for post, html in zip(posts, here, strict=True)]
    thanked = thanks.of_page(session, viewer, thread_id, posts[0].place, posts[-1].place) if posts else {}
    [thread] = reading.as_public(session, viewer, [around.thread])
    named = set(mentions.unseen(session, viewer, thread_id)) if viewer.signed_in else set()
    return Conversation(
        thread,
        around.group,
        reach(session, around.group),
        posts,
        around.draft,
        around.read_place,
        thanked,
        fate.of(session, viewer, posts, now),
        [post.id for post in posts if post.id in named],
        muting.subjects(session, viewer) if around.mutes else frozenset(),
        groups.closed(session, around.group.actor) if viewer.signed_in else "",
        attaching.of_page(session, thread_id, posts[0].place, posts[-1].place) if posts else {},
        attaching.chosen(session, viewer, thread_id, *chosen) if viewer.signed_in else [],
    )
