"""Decides what the pages of moderation show: a queue, posts in every state, a locked conversation, a member's own reports."""

from typing import TYPE_CHECKING

import sqlalchemy as sa

from fedcollab.access.models import GREEN
from fedcollab.access.viewer import MEMBER, MODERATOR, Viewer
from fedcollab.actors import service as actors
from fedcollab.features.discussions import drafts, groups, service
from fedcollab.features.discussions.models import Post
from fedcollab.features.discussions.moderation import acting, flags, muting
from fedcollab.features.members import service as members

if TYPE_CHECKING:
    from .scene import Scene


async def moderate(made: "Scene") -> None:
    """Mila moderates, and has been moderated; daan she has muted."""
    busy, ilse, daan = made.busy, made.people["ilse"], made.people["daan"]
    done = await busy.write(members.add_member, ilse, username="mila", name="Mila T.", roles=[MEMBER, MODERATOR])
    found = await busy.kernel.database.read(actors.by_id, done.person_id)
    mila = Viewer(found.organisation_id, found.id, frozenset({MEMBER, MODERATOR}), found.name)
    made.people["mila"], made.places["mila"] = mila, mila.person_id
    group = await busy.write(groups.create, ilse, slug="shelter", name="Night shelter desk", label=GREEN)
    talk = await busy.write(service.post_thread, ilse, group.id, title="Which house takes families?", text="Two free beds on Elm Street.")
    removed = await busy.write(service.post_reply, mila, talk.thread_id, text="Ask for her by her full name at the door.")
    restored = await busy.write(service.post_reply, daan, talk.thread_id, text="The other house is full until Friday.")
    reported = await busy.write(service.post_reply, daan, talk.thread_id, text="The street and number are on their open page anyway.")
    await busy.write(acting.remove, ilse, removed.post_id, "It lets somebody be found.")
    await busy.write(acting.remove, ilse, restored.post_id, "It names a house.")
    await busy.write(acting.restore, ilse, restored.post_id, "It names no house, as was thought.")
    for by, reason, text in ((ilse, "person", "<b>Anybody</b> could go there."), (mila, "harm", "")):
        await busy.write(flags.make, by, reported.post_id, reason=reason, text=text)
    over = await busy.write(service.post_thread, daan, group.id, title="Who has the keys?", text="Not me.")
    await busy.write(drafts.save_draft, mila, over.thread_id, title="", text="I gave them to the day shift.")
    await busy.write(acting.lock, ilse, over.thread_id, "Answered by telephone.")
    met = sa.select(Post.id).where(Post.thread_id == made.places["thread"], Post.author_id == made.places["met"])
    far = await busy.kernel.database.read(lambda session: str(session.scalars(met).first()))
    await busy.write(flags.make, mila, far, reason="wrong", text="The number belongs to another helpline.")
    await busy.write(muting.mute, mila, daan.person_id)
    await busy.write(muting.mute, mila, made.places["public"])
    made.places |= {
        "moderated": talk.thread_id,
        "locked": over.thread_id,
        "removed": removed.post_id,
        "reported": reported.post_id,
        "far": far,
    }
