"""Referrals, what both sides said of them, and who of us looks; the clear halves of consents, and what was given on each."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def text(*names: str, key: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False, primary_key=key) for name in names]


def short(size: int, *names: str, key: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(size), nullable=False, primary_key=key) for name in names]


def number(*names: str, may: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=may) for name in names]


def to(name: str, table: str, *, may: bool = False, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(36), sa.ForeignKey(f"{table}.id"), nullable=may, primary_key=key)


def identity() -> sa.Column[str]:
    return sa.Column("id", sa.String(36), primary_key=True)


def upgrade() -> None:
    referrals()
    consents()


def referrals() -> None:
    op.create_table(
        "referral",
        identity(),
        *text("uri"),
        sa.UniqueConstraint("uri", name=op.f("uq_referral_uri")),
        sa.Column("sent", sa.Boolean, nullable=False),
        to("organisation_id", "actor"),
        to("case_id", "room", may=True),
        *text("room", "invitation"),
        *short(16, "state"),
        *short(40, "code"),
        *short(10, "deadline"),
        *short(64, "kid"),
        sa.Column("preview", sa.LargeBinary, nullable=False),
        *number("size"),
        to("by_id", "actor", may=True),
        *number("at"),
        *number("box_at", may=True),
        *number("next_at", "tries", "changed_at"),
        *number("late_at", may=True),
    )
    op.create_index("ix_referral_case_id", "referral", ["case_id"])
    op.create_index("ix_referral_state", "referral", ["state", "sent", "at"])
    op.create_index("ix_referral_organisation_id", "referral", ["organisation_id", "state"])
    op.create_table(
        "referral_word",
        to("referral_id", "referral", key=True),
        *short(16, "kind", "side", key=True),
        sa.Column("said_at", sa.BigInteger, primary_key=True, autoincrement=False),
        *short(40, "code"),
        *number("at"),
    )
    op.create_table(
        "referral_person",
        to("referral_id", "referral", key=True),
        to("person_id", "actor", key=True),
        *short(36, "by_id"),
        *number("since"),
    )
    op.create_index("ix_referral_person_person_id", "referral_person", ["person_id"])
    op.create_table("room_aside", to("room_id", "room", key=True))


def consents() -> None:
    op.create_table(
        "consent_mark",
        identity(),
        *text("uri"),
        sa.Column("ours", sa.Boolean, nullable=False),
        to("organisation_id", "actor"),
        to("room_id", "room"),
        *short(10, "until"),
        *short(16, "state"),
        *text("asked"),
        *number("at"),
        *number("ended_at", "stopped_at", may=True),
        *short(16, "answer"),
        *number("answered_at", may=True),
    )
    op.create_index("ix_consent_mark_room_id", "consent_mark", ["room_id"])
    op.create_index("ix_consent_mark_uri", "consent_mark", ["uri", "organisation_id"], unique=True)
    op.create_index("ix_consent_mark_state", "consent_mark", ["state", "until"])
    op.create_table("consent_thing", to("mark_id", "consent_mark", key=True), *text("uri", key=True))
    op.create_index("ix_consent_thing_uri", "consent_thing", ["uri"])
