"""Decides what of sealed rooms stands in the node's database: the clear header and ciphertext; keys and what opens them never do.

The facts of a room (facts.py) are what counts; `room`, `room_member` and the states in `room_key` say what follows from them, for queries.
Organisations stand by their ids on the wire: a member need not be a partner of ours.
"""

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String, Text

from fedcollab.base.model import Mapped, Model, mapped_column

CASE, GROUP = KINDS = ("case", "group")
CURRENT, OLD, DISPUTED, REFUSED, LOOSE = "current", "old", "disputed", "refused", "loose"
THERE, WAITS, ERASED = "there", "waits", "erased"
HERE, AWAY, GONE = "here", "away", "gone"
ASKED, HAD, DENIED, DOCUMENT, SHUT = "open", "had", "refused", "document", "shut"


class Room(Model):
    """A sealed room, ours or another's. `state` is open, frozen, out, closed, ending, purged, or nothing while we are only invited; `epoch`
    and `ck` name the newest case key that counts, `turned_at` when it came, `messages` how many were sealed under it; `proved_by` is our
    organisation's key that proves what we have said of it."""

    __tablename__ = "room"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    uri: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    label: Mapped[str] = mapped_column(String(16))
    owner: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    epoch: Mapped[int] = mapped_column(default=0)
    ck: Mapped[str] = mapped_column(String(64), default="")
    turned_at: Mapped[int] = mapped_column(default=0)
    messages: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[int]
    proved_by: Mapped[str] = mapped_column(Text, default="")


class RoomFact(Model):
    """One fact of a room but for case keys: `name` is its hash, `said` what it says, `activity` how its author has signed it, so that it
    can be passed on and shown (empty for what is ours alone)."""

    __tablename__ = "room_fact"
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    organisation: Mapped[str] = mapped_column(Text)
    said: Mapped[dict[str, object]] = mapped_column(JSON)
    activity: Mapped[dict[str, object]] = mapped_column(JSON, default=dict)
    at: Mapped[int]


class RoomKey(Model):
    """A case key's document, without the key. `state`: current, old, disputed, refused (it does not count), loose (what it follows is not
    here)."""

    __tablename__ = "room_key"
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"), primary_key=True)
    ck: Mapped[str] = mapped_column(String(64), primary_key=True)
    epoch: Mapped[int]
    prev: Mapped[str] = mapped_column(String(64), default="")
    organisation: Mapped[str] = mapped_column(Text)
    document: Mapped[dict[str, object]] = mapped_column(JSON)
    activity: Mapped[dict[str, object]] = mapped_column(JSON, default=dict)
    state: Mapped[str] = mapped_column(String(16))
    at: Mapped[int]
    __table_args__ = (Index("ix_room_key_ck", "ck"),)


class RoomMember(Model):
    """Who is inside or was, or is invited: an organisation, or one person of it (`person` is empty otherwise)."""

    __tablename__ = "room_member"
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"), primary_key=True)
    organisation: Mapped[str] = mapped_column(Text, primary_key=True)
    person: Mapped[str] = mapped_column(Text, primary_key=True)
    role: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    mk: Mapped[str] = mapped_column(String(64), default="")
    since_epoch: Mapped[int] = mapped_column(default=0)
    until_epoch: Mapped[int | None]
    __table_args__ = (Index("ix_room_member_organisation", "organisation", "state"),)


class MemberKey(Model):
    """The public half of a member's key for a room, to which its case keys are boxed; where it is one person's, which key of theirs has
    signed it (`signer`, empty otherwise)."""

    __tablename__ = "member_key"
    kid: Mapped[str] = mapped_column(String(64), primary_key=True)
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"), index=True)
    organisation: Mapped[str] = mapped_column(Text)
    public: Mapped[bytes] = mapped_column(LargeBinary)
    signer: Mapped[str] = mapped_column(String(64), default="")
    signature: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    at: Mapped[int]


class RoomTold(Model):
    """What an organisation was told of a room: a fact by its name, or a case key by its `ck`."""

    __tablename__ = "room_told"
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"), primary_key=True)
    organisation: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[int]


class RoomPerson(Model):
    """One of our own people who is assigned to a room; it never leaves the node."""

    __tablename__ = "room_person"
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    since: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    by_id: Mapped[str] = mapped_column(String(36))
    until: Mapped[int | None]
    __table_args__ = (Index("ix_room_person_person_id", "person_id"),)


class SealedMessage(Model):
    """A message in ciphertext, as it was sealed. `waits`: its case key's document or box is not here, or a dispute is open. `erased_at` is
    when its ciphertext went; `brought` the host that has brought it (`via ` before it: as an earlier message, by its word alone), empty for
    ours."""

    __tablename__ = "sealed_message"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    uri: Mapped[str] = mapped_column(Text, unique=True)
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"))
    epoch: Mapped[int]
    ck: Mapped[str] = mapped_column(String(64))
    author: Mapped[str] = mapped_column(Text)
    organisation: Mapped[str] = mapped_column(Text)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    size: Mapped[int]
    at: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    erased_at: Mapped[int | None]
    brought: Mapped[str] = mapped_column(Text, default="")
    __table_args__ = (Index("ix_sealed_message_room_id", "room_id", "id"), Index("ix_sealed_message_waits", "state", "room_id"))


class ErasedAhead(Model):
    """A message, by its id on the wire, that its own organisation has erased before it came here: it is not taken in."""

    __tablename__ = "erased_ahead"
    uri: Mapped[str] = mapped_column(Text, primary_key=True)
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"))
    organisation: Mapped[str] = mapped_column(Text)
    at: Mapped[int]
    __table_args__ = (Index("ix_erased_ahead_room_id", "room_id", "organisation"),)


class SealedUse(Model):
    """How many bytes of messages and files of a host's organisation are here (or, as "via " and the host, of others, passed on by it): in
    one room, or (`room_id` empty) in all. Counted in the commits that store and erase them."""

    __tablename__ = "sealed_use"
    host: Mapped[str] = mapped_column(Text, primary_key=True)
    room_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)


class SealedFile(Model):
    """A file in ciphertext: `size` bytes that lie under `key`, `digest` their SHA-256 in hexadecimal. What opens it stands in its message.
    `state`: here, away (a member's node has it, and is asked), gone. `reason` says why it is away, or not as it was: changed, room, size,
    hash. `next_at` is when it is asked for, after so many `tries`; `marked_at` since when it may not be opened or handed out any more
    (P23)."""

    __tablename__ = "sealed_file"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    uri: Mapped[str] = mapped_column(Text)
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"), index=True)
    message_id: Mapped[str] = mapped_column(ForeignKey("sealed_message.id"))
    size: Mapped[int]
    key: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    at: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64), default="")
    reason: Mapped[str] = mapped_column(String(16), default="")
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[int | None]
    marked_at: Mapped[int | None]
    __table_args__ = (
        Index("ix_sealed_file_message_id", "message_id", "uri", unique=True),
        Index("ix_sealed_file_next_at", "next_at"),
        Index("ix_sealed_file_digest", "digest"),
    )


class SealedUpload(Model):
    """A file that one of our people is sending: its ciphertext grows under `key`, and belongs to no message yet. What is left of one that
    broke off opens for nobody, and goes."""

    __tablename__ = "sealed_upload"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), index=True)
    size: Mapped[int]
    at: Mapped[int] = mapped_column(index=True)


class KeyRequest(Model):
    """A case key's box that we ask for until it is here, or (`document`) its document, which somebody inside has named: of which
    `organisation` first, `next_at` when again, `told_at` since when the keepers know that it has not come; `given_by` whose box is here,
    `shut` the organisations whose boxes did not open."""

    __tablename__ = "key_request"
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"), primary_key=True)
    ck: Mapped[str] = mapped_column(String(64), primary_key=True)
    epoch: Mapped[int]
    organisation: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[int]
    next_at: Mapped[int]
    tries: Mapped[int] = mapped_column(default=0)
    told_at: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(16))
    given_by: Mapped[str] = mapped_column(Text, default="")
    shut: Mapped[list[str]] = mapped_column(JSON)
    __table_args__ = (Index("ix_key_request_next", "state", "next_at"),)


class KeeperTask(Model):
    """What waits for a keeper, because it takes a key or a decision: `kind` says what, `person_id` of whom it is where it is of one."""

    __tablename__ = "keeper_task"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    room_id: Mapped[str | None] = mapped_column(ForeignKey("room.id"), index=True)
    person_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))
    at: Mapped[int]
    done_at: Mapped[int | None]
    done_by: Mapped[str | None] = mapped_column(String(36))
    __table_args__ = (Index("ix_keeper_task_open", "done_at", "at"),)
