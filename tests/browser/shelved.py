"""Decides what the pages of the library show: a resource of each kind, ours and a partner's, with what stands beside it."""

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.base.clock import DAY, new_id
from fedcollab.base.session import Session
from fedcollab.features.resources import lists, notes, receiving, service, translations
from fedcollab.features.resources.models import CountryNote, Resource, Version
from fedcollab.features.resources.record import Record
from fedcollab.federation import activitystreams as ap
from fedcollab.federation.models import Receipt
from fedcollab.federation.registry import Verified
from fedcollab.files import service as files

if TYPE_CHECKING:
    from .scene import Scene

GUIDE = Record(
    title="How to read a seasonal contract with someone",
    authors=("Sokha P.", "Mateo R."),
    publisher="Tamarind Circle, with Casa Ladera",
    year=2026,
    language="en",
    countries=("KH", "TH"),
    kind="Guide",
    topics=("LabourRecruitment", "LegalAdvice"),
    licence="CC-BY-4.0",
    summary="Eleven questions to go through with a person who has been offered seasonal work.\n\nWorks on paper.",
    source="https://guides.example/contract/with-a-long-address-that-has-no-place-to-break/version-three",
    identifier="doi:10.1234/contract",
    review_on="2027-11-30",
)
ARABIC = Record(title="أسئلة قبل توقيع عقد العمل", kind="Card", language="ar", year=2026, summary="بطاقة قصيرة للحوار، ولا تحتاج إلى هاتف.")
OLD = Record(title="What agencies promise: 140 adverts compared", kind="Research", year=2025, language="en", review_on="2026-10-01")
PDF = files.Attachment("", "contract.pdf", "application/pdf", 419_840, "9f2c41d708abe3c55d10772e94fbc6a81e3950d48b27f16a03cc9e84d2b57710")


async def shelve(made: "Scene") -> None:
    """Ilse and Daan keep the shelf; a partner has put something on it, and said something of ours."""
    busy, ilse, daan = made.busy, made.people["ilse"], made.people["daan"]

    async def add(record: Record, label: str = "TLP:GREEN") -> str:
        return str((await busy.write(service.add, daan, record, label=label)).id)

    made.places["resource"] = guide = await add(GUIDE)
    await busy.write(service.new_version, daan, guide, link="https://guides.example/contract/2", note="Khmer edition added.")
    await busy.write(service.new_version, daan, guide, link="https://guides.example/contract/3", note="New: deposits by mobile money.")
    await busy.write(service.withdraw, daan, guide, reason="Named an agency that has since closed.", number=1)
    await busy.write(service.relabel, ilse, guide, "TLP:CLEAR", reason="Its authors want everybody to have it.")
    made.places["card"] = card = await add(ARABIC, "TLP:CLEAR")
    await busy.write(translations.link, daan, guide, f"/library/{card}")
    made.places["old"] = await add(OLD)
    made.places["withdrawn"] = gone = await add(Record(title="Deposit checklist", kind="Card", year=2023), "TLP:AMBER+STRICT")
    await busy.write(service.withdraw, daan, gone, reason="The legal part is out of date.")
    made.places["country_note"] = await busy.write(notes.add, daan, guide, country="NL", text="Ask for the *gross* wage.", language="en")
    words = dict(title="First week", summary="What a new colleague reads.")
    made.places["list"] = await busy.write(lists.add, ilse, **words, label="TLP:AMBER+STRICT")
    for one in (guide, card):
        await busy.write(lists.put, ilse, made.places["list"], one)
    made.places["list_empty"] = await busy.write(lists.add, ilse, title="قائمة", summary="", label="TLP:AMBER+STRICT")
    await busy.kernel.database.write(_from_a_partner, made, guide)


def _from_a_partner(session: Session, made: "Scene", guide: str) -> None:
    """A record with a file, a note on ours, and what partners said to the withdrawal."""
    node = made.busy.kernel.node
    author = actors.by_id(session, session.scalar(sa.text("SELECT organisation_id FROM partner WHERE state = 'admitted' LIMIT 1")) or "")
    base = author.uri.removesuffix("/actor")
    record: dict[str, Any] = {"revision": 1, "state": "current", "kind": "Toolkit", "language": "fr", "topics": ["Outreach"], "year": 2025}
    record["versions"] = [{"number": 1, "state": "current", "note": "À plier en quatre."}]
    document: dict[str, Any] = {"id": f"{base}/library/{new_id()}", "type": ["Document", ap.RESOURCE], "name": "Lire un contrat saisonnier"}
    document |= {"content": "<p>Droits de base et numéros utiles.</p>", ap.LABEL: "TLP:GREEN", ap.RECORD: record}
    receiving.receive(session, node, Verified({"type": "Create", "id": base + "/a", "object": document}, author, author))
    made.places["partners"] = session.scalar(sa.select(Resource.id).where(Resource.uri == document["id"])) or ""
    said = files.Attachment(f"{base}/files/{new_id()}", PDF.name, PDF.media_type, PDF.size, PDF.sha256)
    file_id = files.learn(session, node, author.id, said)
    session.execute(sa.update(Version).where(Version.resource_id == made.places["partners"]).values(file_id=file_id))
    row = session.execute(sa.select(Resource.uri, Resource.audience_id, Resource.label).where(Resource.id == guide)).one()
    note = dict(id=new_id(), uri=f"{base}/library/notes/{new_id()}", resource_id=guide, country="FR", language="fr", source="")
    note |= dict(html="<p>En France, la question 7 doit citer le contrat écrit.</p>", audience_id=row.audience_id, label=row.label)
    mine = dict(author_id=author.id, organisation_id=author.id, posted_at=node.now() - DAY, confirmed_at=node.now())
    session.execute(sa.insert(CountryNote).values(**note, **mine))
    made.places["partners_note"] = str(note["id"])
    asked = dict(activity_uri=row.uri + "#asked", object_uri=service.about_version(row.uri, 1), sent_at=node.now() - 2 * DAY)
    said_so = (("https://one.example/actor", "Casa Ladera", "confirmed"), ("https://two.example/actor", "Kivuli Support", "sent"))
    for uri, name, state in said_so:
        at = node.now() if state == "confirmed" else None
        session.execute(sa.insert(Receipt).values(**asked, organisation_uri=uri, name=name, state=state, answered_at=at))
