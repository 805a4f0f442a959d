"""Decides what only trial nodes may do: posting in a member's name."""

from fedcollab.access.viewer import MEMBER, Viewer
from fedcollab.actors import service as actors
from fedcollab.base.errors import Forbidden, NotFound
from fedcollab.base.session import Session
from fedcollab.features.discussions import reading, service
from fedcollab.features.discussions.service import Posted
from fedcollab.federation.kernel import Kernel


async def post(kernel: Kernel, group: str, author: str, title: str, text: str, reply_to: str = "") -> Posted:
    """A new conversation in `group` (slug or uri), or an answer to the post `reply_to`. Raises Forbidden on a node in earnest."""
    node = kernel.node
    if not node.settings.trial:
        raise Forbidden("Posting in another's name exists on trial nodes only.")

    def work(session: Session) -> Posted:
        person = actors.by_username(session, node, author)
        if person is None or person.kind != actors.PERSON:
            raise NotFound("There is no member %(name)s here. See: fedcollab user list", name=author)
        viewer = Viewer(person.organisation_id, person.id, frozenset({MEMBER}), person.name)
        if reply_to:
            thread_id = reading.post_by_uri(session, viewer, reply_to).thread_id
            return service.post_reply(session, node, viewer, thread_id, text=text, reply_to=reply_to)
        found = actors.by_uri(session, group) if "://" in group else actors.by_username(session, node, group)
        if found is None:
            raise NotFound("There is no group %(name)s here.", name=group)
        return service.post_thread(session, node, viewer, found.id, title=title, text=text)

    return await kernel.database.write(work)
