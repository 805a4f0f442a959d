"""Decides what is kept of the talk between nodes: partners, follows, the outbox with its numbered deliveries, the durable inbox."""

from sqlalchemy import JSON, BigInteger, ColumnElement, ForeignKey, Index, Integer, String, Text, and_, literal_column, text

from fedcollab.base.model import Mapped, Model, mapped_column

APPLIED, ADMITTED, REFUSED, SUSPENDED, BLOCKED, LEFT = "applied", "admitted", "refused", "suspended", "blocked", "left"
OUTSIDE = "outside"  # no partner: a server that follows or answers what is public
NOT_DONE = text("state <> 'done'")  # what is done is nearly all, and asked for by its key alone: indexes and questions leave it out
WAITING, DONE, PARKED, DROPPED, EARLY = "waiting", "done", "parked", "dropped", "early"
NO_ROOM = "no_room"  # of an inbox item: its number came and nothing of it is kept; its sender has it
GIVEN_UP = (PARKED, REFUSED)  # until an admin has it sent again
NOT_THERE = (WAITING, *GIVEN_UP)
REQUESTED, ACCEPTED, REJECTED, UNDONE = "requested", "accepted", "rejected", "undone"


class Partner(Model):
    """Another organisation's node on our list. Only `admitted` is heard, fetched from and delivered to; `suspended` keeps its queue;
    `outside` is none of ours but follows or answers a public group.
    `people` is how many it has, as it last said; `last_seq` numbers its stream without gaps within `epoch`; `form` is the form of
    signature that it accepted last; `leased_until` says that some process is delivering to it. We send it nothing since `paused_at`. Of
    its own stream everything up to `heard_epoch`/`heard_seq` is here; from `resync_at` on it is asked for the rest, and its stream was
    found whole at `whole_at`. `suspended_for` is empty, "away" or "keys"; `checked_at` says that both admins have read the same words,
    `checked_by_id` who said so. `allows` names the features it may take part in; `accepted_keys` is the fingerprint of the last successor
    of our keys that its admin said yes to, `vouched_keys` that of its keys which we vouch for."""

    __tablename__ = "partner"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), unique=True)
    host: Mapped[str] = mapped_column(Text, unique=True)
    state: Mapped[str] = mapped_column(String(16))
    people: Mapped[int] = mapped_column(default=0)
    epoch: Mapped[int] = mapped_column(default=1)
    last_seq: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[int] = mapped_column(default=0)
    leased_until: Mapped[int] = mapped_column(default=0)
    last_success_at: Mapped[int | None]
    last_error_at: Mapped[int | None]
    last_error: Mapped[str] = mapped_column(Text, default="")
    form: Mapped[str] = mapped_column(String(16), default="", server_default="")
    created_at: Mapped[int]
    decided_at: Mapped[int | None]
    paused_at: Mapped[int | None]
    suspended_for: Mapped[str] = mapped_column(String(16), default="")
    heard_epoch: Mapped[int] = mapped_column(default=0)
    heard_seq: Mapped[int] = mapped_column(default=0)
    resync_at: Mapped[int | None]
    resync_tries: Mapped[int] = mapped_column(default=0)
    resync_error: Mapped[str] = mapped_column(Text, default="")
    whole_at: Mapped[int | None]
    checked_at: Mapped[int | None]
    checked_by_id: Mapped[str | None] = mapped_column(String(36))
    allows: Mapped[list[str]] = mapped_column(JSON, default=list)
    accepted_keys: Mapped[str] = mapped_column(String(64), default="")
    vouched_keys: Mapped[str] = mapped_column(String(64), default="")


class KeyOffer(Model):
    """Other keys of a partner's Organization that wait for an admin: a successor that the pinned ones signed (`signed`), with the end of
    the old ones in `until`; or, without that, what its own host shows now."""

    __tablename__ = "key_offer"
    partner_id: Mapped[str] = mapped_column(ForeignKey("partner.id"), primary_key=True)
    signed: Mapped[bool]
    keys: Mapped[str] = mapped_column(String(64))
    document: Mapped[dict[str, object]] = mapped_column(JSON)
    until: Mapped[int | None]
    at: Mapped[int]


class Vouch(Model):
    """One partner's word for another organisation: `keys` is the fingerprint of the keys that it has pinned."""

    __tablename__ = "vouch"
    by_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    about_uri: Mapped[str] = mapped_column(Text, primary_key=True)
    about_host: Mapped[str] = mapped_column(Text, index=True)
    keys: Mapped[str] = mapped_column(String(64))
    at: Mapped[int]


class Application(Model):
    """A stranger's host that knocked: one counted line, nothing fetched until the admin's click."""

    __tablename__ = "application"
    host: Mapped[str] = mapped_column(Text, primary_key=True)
    actor_uri: Mapped[str] = mapped_column(Text)
    times: Mapped[int] = mapped_column(default=1)
    first_at: Mapped[int]
    last_at: Mapped[int]


class Follow(Model):
    """Who receives whose publications; both directions. Its id is the Follow activity's."""

    __tablename__ = "follow"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    uri: Mapped[str] = mapped_column(Text, unique=True)
    follower_id: Mapped[str] = mapped_column(ForeignKey("actor.id"))
    target_id: Mapped[str] = mapped_column(ForeignKey("actor.id"))
    state: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[int]

    __table_args__ = (Index(None, "follower_id", "target_id", unique=True), Index(None, "target_id", "state"))


class Activity(Model):
    """An activity of ours as it was signed, kept for deliveries and for partners that ask again; from `purge_at` on it may go. `share` is
    the host whose share it takes of what is kept at its recipients (`no_room`); empty where it takes no room worth speaking of."""

    __tablename__ = "activity"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    uri: Mapped[str] = mapped_column(Text, unique=True)
    type: Mapped[str] = mapped_column(String(32))
    actor_id: Mapped[str] = mapped_column(ForeignKey("actor.id"))
    object_uri: Mapped[str] = mapped_column(Text, index=True)
    order_key: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[int]
    purge_at: Mapped[int | None] = mapped_column(index=True)
    share: Mapped[str] = mapped_column(Text, default="", server_default="")

    __table_args__ = (Index(None, "actor_id", "id"),)


class Delivery(Model):
    """One activity to one partner, by the partner's own numbering. `dropped` is what we ourselves did not send."""

    __tablename__ = "delivery"
    partner_id: Mapped[str] = mapped_column(ForeignKey("partner.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    activity_id: Mapped[str] = mapped_column(ForeignKey("activity.id"), index=True)
    order_key: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[int] = mapped_column(default=0)
    status: Mapped[int | None]
    error: Mapped[str] = mapped_column(Text, default="")
    done_at: Mapped[int | None]

    __table_args__ = (
        Index("ix_delivery_open", "partner_id", "state", "order_key", "seq", sqlite_where=NOT_DONE),
        Index("ix_delivery_next", "partner_id", "state", "seq", sqlite_where=NOT_DONE),
    )


class InboxItem(Model):
    """A verified activity, stored once by its id within its signer's host, then processed by sender and thread in order."""

    __tablename__ = "inbox_item"
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    host: Mapped[str] = mapped_column(Text)
    uri: Mapped[str] = mapped_column(Text)
    sender_id: Mapped[str] = mapped_column(ForeignKey("actor.id"))
    order_key: Mapped[str] = mapped_column(Text)
    body: Mapped[dict[str, object]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(Text, default="")
    received_at: Mapped[int]
    epoch: Mapped[int | None]
    seq: Mapped[int | None]

    __table_args__ = (
        Index(None, "host", "uri", unique=True),
        Index("ix_inbox_item_open", "state", "host", "order_key", "id", sqlite_where=NOT_DONE),
        Index("ix_inbox_item_first", "state", "id", sqlite_where=NOT_DONE),
        Index(None, "host", "epoch", "seq"),
    )


class Receipt(Model):
    """Whether an organisation has confirmed that it did what was asked of it, or refused it (`reason`, a code): one row
    an activity (a deletion, a narrowed label) and organisation. It is named by its id: who wrote a post need not know all that have it."""

    __tablename__ = "receipt"
    activity_uri: Mapped[str] = mapped_column(Text, primary_key=True)
    organisation_uri: Mapped[str] = mapped_column(Text, primary_key=True)
    object_uri: Mapped[str] = mapped_column(Text, index=True)
    name: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    sent_at: Mapped[int] = mapped_column(index=True)
    answered_at: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(16), default="")


def is_open(model: type[Delivery] | type[InboxItem], *states: str) -> ColumnElement[bool]:
    """The clause for rows in one of these states, none of which is `done`, said so that the index of what is not done serves it."""
    return and_(model.state != literal_column("'done'"), model.state.in_(states) if len(states) > 1 else model.state == states[0])
