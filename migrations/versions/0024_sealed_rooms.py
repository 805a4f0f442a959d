"""Sealed rooms: what is said of them, who is inside, case keys without the keys, messages and files in ciphertext; keepers' tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def short(size: int, *names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(size), nullable=False) for name in names]


def number(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def room(*, key: bool = False) -> sa.Column[str]:
    return sa.Column("room_id", sa.String(36), sa.ForeignKey("room.id"), primary_key=key, nullable=False)


def identity() -> sa.Column[str]:
    return sa.Column("id", sa.String(36), primary_key=True)


def keys(size: int | None, *names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(size) if size else sa.Text, primary_key=True) for name in names]


def upgrade() -> None:
    rooms()
    members()
    sealed()
    waiting()


def rooms() -> None:
    op.create_table(
        "room",
        identity(),
        sa.Column("uri", sa.Text, nullable=False),
        sa.UniqueConstraint("uri", name=op.f("uq_room_uri")),
        *short(16, "kind", "label"),
        *text("owner"),
        *short(16, "state"),
        *number("epoch"),
        *short(64, "ck"),
        *number("turned_at", "messages", "created_at"),
    )
    op.create_table(
        "room_fact",
        room(key=True),
        *keys(64, "name"),
        *short(16, "kind"),
        *text("organisation"),
        sa.Column("said", sa.JSON, nullable=False),
        sa.Column("activity", sa.JSON, nullable=False),
        *number("at"),
    )
    op.create_table(
        "room_key",
        room(key=True),
        *keys(64, "ck"),
        *number("epoch"),
        *short(64, "prev"),
        *text("organisation"),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("activity", sa.JSON, nullable=False),
        *short(16, "state"),
        *number("at"),
    )
    op.create_index("ix_room_key_ck", "room_key", ["ck"])
    op.create_table("room_told", room(key=True), *keys(None, "organisation"), *keys(64, "name"), *number("at"))


def members() -> None:
    op.create_table(
        "room_member",
        room(key=True),
        *keys(None, "organisation", "person"),
        *short(16, "role", "state"),
        *short(64, "mk"),
        *number("since_epoch"),
        sa.Column("until_epoch", sa.BigInteger),
    )
    op.create_index("ix_room_member_organisation", "room_member", ["organisation", "state"])
    op.create_table(
        "member_key",
        *keys(64, "kid"),
        room(),
        *text("organisation"),
        sa.Column("public", sa.LargeBinary, nullable=False),
        *number("at"),
    )
    op.create_index("ix_member_key_room_id", "member_key", ["room_id"])
    op.create_table(
        "room_person",
        room(key=True),
        sa.Column("person_id", sa.String(36), sa.ForeignKey("actor.id"), primary_key=True),
        sa.Column("since", sa.BigInteger, primary_key=True, autoincrement=False),
        *short(36, "by_id"),
        sa.Column("until", sa.BigInteger),
    )
    op.create_index("ix_room_person_person_id", "room_person", ["person_id"])


def sealed() -> None:
    op.create_table(
        "sealed_message",
        identity(),
        sa.Column("uri", sa.Text, nullable=False),
        sa.UniqueConstraint("uri", name=op.f("uq_sealed_message_uri")),
        room(),
        *number("epoch"),
        *short(64, "ck"),
        *text("author", "organisation"),
        sa.Column("body", sa.LargeBinary, nullable=False),
        *number("size", "at"),
        *short(16, "state"),
    )
    op.create_index("ix_sealed_message_room_id", "sealed_message", ["room_id", "id"])
    op.create_index("ix_sealed_message_waits", "sealed_message", ["state", "room_id"])
    op.create_table(
        "sealed_file",
        identity(),
        sa.Column("uri", sa.Text, nullable=False),
        sa.UniqueConstraint("uri", name=op.f("uq_sealed_file_uri")),
        room(),
        sa.Column("message_id", sa.String(36), sa.ForeignKey("sealed_message.id"), nullable=False),
        *number("size"),
        *short(64, "key"),
        *short(16, "state"),
        *number("at"),
    )
    op.create_index("ix_sealed_file_room_id", "sealed_file", ["room_id"])
    op.create_index("ix_sealed_file_message_id", "sealed_file", ["message_id"])


def waiting() -> None:
    op.create_table(
        "key_request",
        room(key=True),
        *keys(64, "ck"),
        *number("epoch"),
        *text("organisation"),
        *number("asked_at", "next_at", "tries"),
        sa.Column("told_at", sa.BigInteger),
        *short(16, "state"),
    )
    op.create_index("ix_key_request_next", "key_request", ["state", "next_at"])
    op.create_table(
        "keeper_task",
        identity(),
        *short(32, "kind"),
        sa.Column("room_id", sa.String(36), sa.ForeignKey("room.id")),
        sa.Column("person_id", sa.String(36), sa.ForeignKey("actor.id")),
        *number("at"),
        sa.Column("done_at", sa.BigInteger),
        sa.Column("done_by", sa.String(36)),
    )
    op.create_index("ix_keeper_task_room_id", "keeper_task", ["room_id"])
    op.create_index("ix_keeper_task_open", "keeper_task", ["done_at", "at"])
