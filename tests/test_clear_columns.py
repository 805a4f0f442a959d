"""Of cases, sealed groups and rooms the database has the clear header that the threat model names, and ciphertext, and no other column."""

import re

import pytest
import sqlalchemy as sa

import fedcollab.app  # noqa: F401  # all models
from fedcollab.base.model import Model
from fedcollab.sealing.ring_models import RingModel

from .documents import ROOT, text_of

MAP, THREATS = ROOT / "docs" / "admins" / "data-map.md", ROOT / "docs" / "threat-model.md"
PARTS = ("Sealed rooms", "Sealed groups", "Cases")
ROW = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)
CIPHERTEXT = {"sealed_message.body", "referral.preview", "guest.preview"}
# As the threat model says it, and the columns that are so; one that means something else in one table stands with that.
HEADER = {
    "random ids": {
        *("id", "uri", "room_id", "message_id", "case_id", "mark_id", "referral_id", "opened_id", "room", "invitation", "asked", "subject"),
        *("ck", "prev", "mk", "kid", "key", "signer", "proved_by", "place", "about", "whose"),
    },
    "which organisations": {
        "organisation",
        "organisation_id",
        "owner",
        "by",
        "given_by",
        "ours",
        "sent",
        "side",
        "role",
        "brought",
        "host",
    },
    "people are inside": {"person", "person_id", "by_id", "author", "who", "held_by", "done_by", "let_in_by_id", "ended_by_id"},
    "label": {"label"},
    "status": {"kind", "state", "status", "code", "action", "answer", "reason", "held_why", "type", "late"},
    "due, review and retention dates": {"due", "review", "retention", "consent_end", "deadline", "until", "opened_on"},
    "sizes rounded up": {"size"},
    "times": {
        *("at", "since", "turned_at", "created_at", "asked_at", "due_at", "held_until", "done_at", "erased_at", "marked_at", "next_at"),
        *("told_at", "expires_at", "joined_at", "let_in_at", "ended_at", "stopped_at", "answered_at", "box_at", "changed_at", "late_at"),
        *("said_at", "seen_at", "broken_at"),
    },
    "numbers and hashes": {
        *("epoch", "since_epoch", "until_epoch", "messages", "tries", "digest", "hash", "name", "token_hash", "breaks", "seq", "told_seq"),
        *("told_hash", "from_seq", "from_hash", "signed_seq"),
    },
    "public keys": {"public", "signature"},
    "signed words about who is inside": {"said", "activity", "document", "checkpoint", "broken", "pending", "shut"},
    "which part of people's records": {"part"},
    "a guest's name": {"guest.name", "guest.works_for", "referral.outside"},
}


def sealed() -> dict[str, sa.Column[object]]:
    """{table.column: column} of what the data map says of cases and all that is sealed."""
    text = text_of(MAP)
    tables = [name for part in PARTS for name in ROW.findall(text.split(f"\n## {part}\n", 1)[1].split("\n## ", 1)[0])]
    return {f"{name}.{column.name}": column for name in tables for column in Model.metadata.tables[name].columns}


def sort_of(name: str) -> str:
    """What a column is by the threat model; empty for what is none of it."""
    for word in (name, name.partition(".")[2]):
        for sort, columns in HEADER.items():
            if word in columns:
                return sort
    return ""


@pytest.mark.rule("P4")
def test_every_column_is_ciphertext_or_of_the_clear_header() -> None:
    columns = sealed()
    assert len(columns) > 150
    assert {name for name in columns if not sort_of(name)} == CIPHERTEXT
    assert [name for name in ("case.title", "sealed_message.text", "case_record.purpose", "guest.notes") if sort_of(name)] == []


@pytest.mark.rule("P4")
def test_the_threat_model_names_each_part_of_the_clear_header_and_no_other_is_told() -> None:
    said = text_of(THREATS).split("Not its clear header", 1)[1].split("\n\n", 1)[0].replace("\n", " ")
    assert [sort for sort in HEADER if sort not in said] == []
    used = {word for name in sealed() for word in (name, name.partition(".")[2])}
    assert {word for columns in HEADER.values() for word in columns} - used == set()


@pytest.mark.rule("P4")
def test_what_lies_in_bytes_is_ciphertext_or_a_public_half_and_in_the_key_ring_a_box() -> None:
    raw = {name for name, column in sealed().items() if isinstance(column.type, sa.LargeBinary)}
    assert raw == CIPHERTEXT | {"member_key.public", "member_key.signature"}
    tables = RingModel.metadata.tables.values()
    boxes = {column.name for table in tables for column in table.columns if isinstance(column.type, sa.LargeBinary)}
    clear = {column.name for table in tables for column in table.columns} - boxes
    assert boxes == {"box", "by_password", "by_code"}
    assert clear == {"kid", "person_id", "state", "created_at", "session_hash", "at", "of", "to_kid", "rk", "pair"}
