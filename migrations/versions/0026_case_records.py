"""The record of each room: its entries, where each member's record ends, and what was countersigned."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, primary_key=key)


def short(name: str, size: int = 64) -> sa.Column[str]:
    return sa.Column(name, sa.String(size), nullable=False)


def numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def room() -> sa.Column[str]:
    return sa.Column("room_id", sa.String(36), sa.ForeignKey("room.id"), primary_key=True, nullable=False)


def upgrade() -> None:
    own()
    of_members()


def own() -> None:
    op.create_table(
        "room_chain",
        room(),
        text("uri"),
        *numbers("seq"),
        short("hash"),
        *numbers("told_seq"),
        short("told_hash"),
        *numbers("told_at", "from_seq"),
        short("from_hash"),
        sa.Column("checkpoint", sa.JSON),
    )
    op.create_table(
        "room_entry",
        room(),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        *numbers("at"),
        text("who"),
        short("action", 40),
        text("subject"),
        short("hash"),
    )
    op.create_index("ix_room_entry_at", "room_entry", ["room_id", "at"])
    op.create_table(
        "week_read",
        sa.Column("person_id", sa.String(36), sa.ForeignKey("actor.id"), primary_key=True),
        *numbers("until"),
    )
    op.create_table(
        "room_who",
        room(),
        sa.Column("person_id", sa.String(36), sa.ForeignKey("actor.id"), primary_key=True),
        short("who", 36),
    )
    op.create_index("ix_room_who_person_id", "room_who", ["person_id"])


def of_members() -> None:
    op.create_table(
        "chain_head",
        room(),
        text("organisation", key=True),
        *numbers("seq"),
        short("hash"),
        *numbers("at"),
        sa.Column("document", sa.JSON, nullable=False),
        *numbers("seen_at", "since", "breaks"),
        sa.Column("broken", sa.JSON),
        sa.Column("broken_at", sa.BigInteger),
        sa.Column("pending", sa.JSON),
        *numbers("next_at", "tries", "signed_seq"),
    )
    op.create_index("ix_chain_head_pending", "chain_head", ["next_at"])
    op.create_table(
        "chain_signed",
        room(),
        text("organisation", key=True),
        text("by", key=True),
        *numbers("seq", "breaks", "at"),
        sa.Column("document", sa.JSON, nullable=False),
    )
