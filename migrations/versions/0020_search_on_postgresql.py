"""On PostgreSQL search walks from the newest on through what is public, through each audience and through names."""

from alembic import op

revision = "0020"
down_revision = "0019"

WALKS = (
    "CREATE INDEX ix_search_entry_public ON search_entry (place) WHERE label = 'TLP:CLEAR'",
    "CREATE INDEX ix_search_entry_inside ON search_entry (audience_id, place) WHERE label <> 'TLP:CLEAR'",
    "CREATE INDEX ix_search_entry_names ON search_entry (place) WHERE audience_id IS NULL",
)


def upgrade() -> None:
    for line in WALKS if op.get_bind().dialect.name == "postgresql" else ():
        op.execute(line)
