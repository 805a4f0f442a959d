"""The library: records, their versions, notes and collections."""

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    pass
