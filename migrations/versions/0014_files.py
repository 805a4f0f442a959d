"""The files that resources and posts carry."""

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    pass
