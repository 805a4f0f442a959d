"""Plays another organisation's node to ours without a network: its group, its moderator, an author, and what its group passes on."""

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.access.models import GREEN
from fedcollab.actors import service as actors
from fedcollab.actors.models import GROUP, OWN, PARTNER, PERSON, Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import MICROSECONDS, iso, new_id
from fedcollab.base.errors import Refused
from fedcollab.base.session import Session
from fedcollab.base.statements import part
from fedcollab.features.discussions.feature import FEATURE
from fedcollab.federation import activitystreams as ap
from fedcollab.federation.registry import Registry, Verified
from tests.rows import START, organisation, quick_keys

REGISTRY = Registry(FEATURE.handlers)
PROOF = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod", "proofValue": "z1"}


def person(session: Session, organisation_id: str, name: str, *, kind: str = PERSON, host: str = "host.example") -> actors.ActorData:
    """Somebody (or a group) of another organisation, without keys."""
    row_id, folder = new_id(START), "groups" if kind == GROUP else "people"
    uri = f"https://{host}/{folder}/{name}"
    row = dict(id=row_id, uri=uri, kind=kind, username=name, name=name.title(), host=host, organisation_id=organisation_id)
    session.execute(sa.insert(Actor).values(**row, inbox=uri + "/inbox", known=PARTNER, created_at=START, updated_at=START))
    return actors.by_id(session, row_id)


@dataclass
class Elsewhere:
    """Our node, and a group of host.example that both are inside, with one author of ours or of the host's."""

    session: Session
    node: Node
    ours: bool = False
    serial: int = 0
    refused: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.host = organisation(self.session, "host.example")
        self.group = person(self.session, self.host, "leads", kind=GROUP)
        self.moderator = person(self.session, self.host, "mona")
        me = actors.own(self.session, self.node)
        self.audience = policy.open_audience(self.session, now=START, label=GREEN, owner_id=self.host, group_id=self.group.id)
        policy.admit(self.session, self.audience, me.id, since=0)
        if self.ours:
            with quick_keys():
                self.author = actors.create_own(self.session, self.node, PERSON, username="ilse", name="Ilse")
            assert self.author.known == OWN
        else:
            self.author = person(self.session, self.host, "sokha")

    @property
    def context(self) -> str:
        return "https://host.example/threads/t1"

    @property
    def post(self) -> str:
        return f"https://{self.author.host}/posts/p1"

    def fresh(self, host: str = "host.example") -> str:
        self.serial += 1
        return f"https://{host}/activities/{self.serial}"

    def create(self, uri: str = "", text: str = "words", **more: Any) -> dict[str, Any]:
        obj = {
            "id": uri or self.post,
            "type": "Article",
            "name": "A question",
            "attributedTo": self.author.uri,
            "content": f"<p>{text}</p>",
            "context": self.context,
            "audience": self.group.uri,
            "published": iso(START),
        } | more
        proof = {"proof": PROOF | {"verificationMethod": self.author.uri + "#ed25519-key"}} if self.ours else {}
        return ap.activity("Create", self.fresh(self.author.host), self.author.uri, obj, context=self.context, **proof)

    def act(self, kind: str, about: str, reason: str = "why") -> dict[str, Any]:
        made = ap.activity(kind, self.fresh(), self.moderator.uri, about, summary=reason, context=self.context)
        return made | {"published": iso(START + self.serial * MICROSECONDS)}

    def undo(self, done: dict[str, Any], reason: str = "why not") -> dict[str, Any]:
        inner = {name: done[name] for name in ("id", "type", "actor", "object")}
        return ap.activity("Undo", self.fresh(), self.moderator.uri, inner, summary=reason, context=self.context)

    def deletion(self) -> dict[str, Any]:
        tombstone = {"id": self.post, "type": "Tombstone", "context": self.context}
        return ap.activity("Delete", self.fresh(self.author.host), self.author.uri, tombstone)

    def announce(self, activity: dict[str, Any], *, by: actors.ActorData | None = None, through: Any = "group") -> str:
        """The group passes an activity on (or, `through` None, its actor sends it); answers why it was refused, or nothing."""
        actor = by or (actors.by_uri(self.session, activity["actor"]) or self.author)
        group = self.group if through == "group" else through
        verified = Verified(activity | {"actor": actor.uri}, actor, group or actor, through=group)
        try:
            with part(self.session):
                for work in REGISTRY.find(verified):
                    work(self.session, self.node, verified)
        except Refused as error:
            return error.reason or str(error)
        return ""
