"""Decides how the library's records, versions, notes and lists are stored; a record's own columns are those of `record.Record`."""

from sqlalchemy import JSON, ForeignKey, Index, String, Text, text

from fedcollab.access.models import SharedObject
from fedcollab.base.model import Mapped, Model, mapped_column

PUBLIC = text("label = 'TLP:CLEAR'")
DUE, TALKED = text("review_on <> ''"), text("discussion <> ''")
CURRENT, REPLACED, WITHDRAWN = "current", "replaced", "withdrawn"


class Resource(SharedObject, Model):
    """A record. Its author is the organisation that publishes it; `added_by_id` is whoever added it, known here alone. `summary` is the
    Markdown, `html` safe as stored, `abstract` its first words. `number` is its newest version's, `revision` grows with every change of
    whichever kind. `passed_on` says that it was ever sent to partners. `discussion` is the id of the conversation that it grew from or
    that its publisher has opened about it; `uses` of a story what it may be used for, as `activities.UseData`. A deleted one keeps its ids
    and its revision alone."""

    __tablename__ = "resource"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    added_by_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"), index=True)
    title: Mapped[str] = mapped_column(Text)
    authors: Mapped[list[str]] = mapped_column(JSON)
    publisher: Mapped[str] = mapped_column(Text)
    year: Mapped[int | None]
    language: Mapped[str] = mapped_column(String(16))
    countries: Mapped[list[str]] = mapped_column(JSON)
    kind: Mapped[str] = mapped_column(String(16))
    topics: Mapped[list[str]] = mapped_column(JSON)
    licence: Mapped[str] = mapped_column(String(32))
    summary: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    abstract: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    identifier: Mapped[str] = mapped_column(Text)
    review_on: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(16), default=CURRENT)
    reason: Mapped[str] = mapped_column(Text, default="")
    number: Mapped[int]
    revision: Mapped[int]
    passed_on: Mapped[bool] = mapped_column(default=False)
    discussion: Mapped[str] = mapped_column(Text, default="")
    uses: Mapped[list[dict[str, object]] | None] = mapped_column(JSON(none_as_null=True))
    changed_at: Mapped[int]
    deleted_at: Mapped[int | None]

    __table_args__ = (
        Index("ix_resource_newest", "posted_at", "id"),
        Index("ix_resource_of", "organisation_id", "posted_at", "id"),
        Index("ix_resource_public", "author_id", sqlite_where=PUBLIC),
        Index("ix_resource_harvest", "organisation_id", "changed_at", "id", sqlite_where=PUBLIC),
        Index("ix_resource_due", "organisation_id", "review_on", sqlite_where=DUE),
        Index("ix_resource_discussion", "discussion", sqlite_where=TALKED),
    )


class Version(Model):
    """One version of a resource: a file or a link. Of the newest, `state` is that of the record."""

    __tablename__ = "resource_version"
    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    note: Mapped[str] = mapped_column(Text)
    file_id: Mapped[str | None] = mapped_column(ForeignKey("file.id"), index=True)
    link: Mapped[str] = mapped_column(Text)
    published_at: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text, default="")


class Translation(Model):
    """That a record names another one, of whichever organisation, as the same thing in another language."""

    __tablename__ = "resource_translation"
    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"), primary_key=True)
    uri: Mapped[str] = mapped_column(Text, primary_key=True, index=True)


class LabelChange(Model):
    """Who has widened or narrowed a record's label, from what to what, and why."""

    __tablename__ = "label_change"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"), index=True)
    by_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))
    before: Mapped[str] = mapped_column(String(16))
    after: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[int]


class CountryNote(SharedObject, Model):
    """What an organisation says of using a resource in a country, under the resource's label. `confirmed_at` is empty while it waits for
    the resource's publisher; `removed` is why the publisher's moderators have taken it away. A deleted one keeps its ids alone."""

    __tablename__ = "country_note"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"))
    added_by_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))
    country: Mapped[str] = mapped_column(String(2))
    source: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(16))
    edited_at: Mapped[int | None]
    confirmed_at: Mapped[int | None]
    deleted_at: Mapped[int | None]
    removed: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (Index("ix_country_note_resource", "resource_id", "posted_at"), Index(None, "author_id"))


class Collection(SharedObject, Model):
    """A reading list of our organisation, on this node alone: whoever sees the list sees those of its resources that are for them."""

    __tablename__ = "collection"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    added_by_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))
    title: Mapped[str] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index(None, "author_id"),)


class CollectionItem(Model):
    """A resource in a reading list, at its place."""

    __tablename__ = "collection_item"
    collection_id: Mapped[str] = mapped_column(ForeignKey("collection.id"), primary_key=True)
    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"), primary_key=True, index=True)
    place: Mapped[int]


class RecordDraft(Model):
    """A record's form in mid-composition, one a person and place: a resource, or empty for a new one."""

    __tablename__ = "record_draft"
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    place: Mapped[str] = mapped_column(String(36), primary_key=True)
    fields: Mapped[dict[str, str]] = mapped_column(JSON)
    updated_at: Mapped[int]


class Catalogue(Model):
    """How far a partner that began to follow has been sent our catalogue: `after` is the last one's id, `done_at` when it had all."""

    __tablename__ = "catalogue"
    organisation_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    after: Mapped[str] = mapped_column(String(36), default="")
    begun_at: Mapped[int]
    done_at: Mapped[int | None]
