"""The index of all that can be found."""

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    pass
