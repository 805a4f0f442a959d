"""Stories: what a person has agreed to, and until when."""

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    pass
