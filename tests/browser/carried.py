"""Decides what the pages show of files: a post that carries a picture, a document, a partner's that is away, one that was refused."""

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.base.session import Session
from fedcollab.features.discussions import drafts, groups, service
from fedcollab.features.discussions.models import PostFile
from fedcollab.files import service as files
from fedcollab.files.models import REFUSED, File
from fedcollab.files.service import Attachment
from tests.files import pictures
from tests.files.placed import placed

if TYPE_CHECKING:
    from .scene import Scene

ARABIC = "دليل المقابلة الأولى مع مترجم.pdf"
LONG = "a-file-name-without-any-place-to-break-it-as-cameras-and-ministries-like-to-give-them-2026-11-26-final-version-3.jpg"


async def carry(made: "Scene") -> None:
    """Ilse has posted files and is about to post more."""
    busy, ilse = made.busy, made.people["ilse"]
    group = await busy.write(groups.create, ilse, slug="materials", name="Materials to hand out", label="TLP:GREEN", summary="")
    kept = [await placed(busy, ilse, ARABIC), await placed(busy, ilse, LONG, pictures.jpeg(width=900, height=600))]
    more = dict(title="Two guides and a poster", text="What we hand out at the station.")
    posted = await busy.write(service.post_thread, ilse, group.id, files=[one.id for one in kept], **more)
    made.places |= {"carried": posted.thread_id, "carrier": posted.post_id}
    await busy.kernel.database.write(_of_a_partner, made, posted.post_id)
    waits = await placed(busy, ilse, "flyer.txt", b"Who pays for travel?\n")
    await busy.write(drafts.save_draft, ilse, posted.thread_id, title="", text="And this one", files=[waits.id])
    made.places["flyer"] = waits.id


def _of_a_partner(session: Session, made: "Scene", post_id: str) -> None:
    node: Any = made.busy.kernel.node
    author = actors.by_id(session, session.scalar(sa.text("SELECT organisation_id FROM partner WHERE state = 'admitted' LIMIT 1")) or "")
    for number, name in enumerate(("contract.docx", "table.csv"), 10):
        said = Attachment(author.uri.removesuffix("/actor") + f"/files/{number}", name, "text/csv", 48_000, "0" * 64)
        file_id = files.learn(session, node, author.organisation_id, said)
        session.execute(sa.insert(PostFile).values(post_id=post_id, file_id=file_id, number=number))
    session.execute(sa.update(File).where(File.id == file_id).values(state=REFUSED, reason="hash"))
