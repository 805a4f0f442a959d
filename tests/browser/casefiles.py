"""Decides what the pages of a case's files show: one about nobody, one that waits at its node, one that was marked."""

from typing import TYPE_CHECKING

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.features.cases import filing
from fedcollab.features.cases.acting import at_once
from fedcollab.sealing import carried, people, sealed_files
from fedcollab.sealing.chunks import Sealer
from fedcollab.sealing.room_models import AWAY, SealedFile

if TYPE_CHECKING:
    from .scene import Scene


def files(session: Session, node: Node, made: "Scene") -> None:
    """Their rows and messages; their bytes are nowhere, for no page of these needs them."""
    for name, media, about in (
        ("Letter from the clinic.pdf", "application/pdf", "What the doctor writes about the next weeks"),
        ("film.bin", "application/octet-stream", ""),
        ("IMG_0417.jpg", "image/jpeg", ""),
    ):
        _share(session, node, made, name, media, about)
    first, second, third = session.scalars(sa.select(SealedFile.id).order_by(SealedFile.at, SealedFile.id))
    session.execute(sa.update(SealedFile).where(SealedFile.id == second).values(state=AWAY, key="", next_at=node.now()))
    with node.ring.look() as ring:
        keys = people.opened(ring, made.people["mira"].person_id, made.unlocks["mira"])
    at_once(session, node, made.people["mira"], keys, made.places["case"], filing.mark, third)
    made.places |= {"file": first, "marked": third}


def _share(session: Session, node: Node, made: "Scene", name: str, media: str, about: str) -> None:
    mira, sealer = made.people["mira"], Sealer()
    sealer.update(name.encode() * 9000)
    for _ in sealer.finish():
        continue
    file = carried.of(node, sealer.secret, sealed_files.begin(session, node, mira, 1000))
    with node.ring.look() as ring:
        keys = people.opened(ring, mira.person_id, made.unlocks["mira"])
    said = dict(uri=file.uri, name=name, media=media, secret=sealer.secret, about=about)
    at_once(session, node, mira, keys, made.places["case"], filing.share, file, said)
