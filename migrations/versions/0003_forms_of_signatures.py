"""Which form of signature a partner accepted last is remembered, so that the next request is right at once."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("partner", sa.Column("form", sa.String(length=16), nullable=False, server_default=""))
