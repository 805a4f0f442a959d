"""Shows on both databases that a table which is built anew in a step keeps its rows and what points to them."""

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

import fedcollab.app  # noqa: F401  # all tables
from fedcollab.base.database import Database, open_database
from fedcollab.base.errors import Misconfigured
from fedcollab.base.migrate import head, migrate
from fedcollab.base.paths import shipped

ACTOR = (
    "INSERT INTO actor (id, uri, kind, username, name, summary, host, organisation_id, inbox, known, created_at, updated_at)"
    " VALUES ('{0}', 'https://a.example/{0}', 'Group', '{0}', '{0}', '', 'a.example', '{0}', 'https://a.example/i', 'own', 1, 1)"
)
AUDIENCE = "INSERT INTO audience (id, label, owner_id, group_id, history, stale) VALUES ('{0}', 'TLP:GREEN', '{1}', '{1}', {2}, {2})"
THREAD = (
    "INSERT INTO thread (id, group_id, title, language, last_post_at, posts, uri,"
    " audience_id, label, author_id, organisation_id, posted_at)"
    " VALUES ('{0}', '{1}', '{0}', 'en', 1, 1, '{2}', 'audience', 'TLP:GREEN', 'one', 'one', 1)"
)
POST = (
    "INSERT INTO post (id, thread_id, reply_to, source, html, language, place, uri,"
    " audience_id, label, author_id, organisation_id, posted_at)"
    " VALUES ('{0}', '{1}', '', '', '<p>{0}</p>', 'en', 1, 'https://a.example/{0}', 'audience', 'TLP:GREEN', 'one', 'one', 1)"
)
ROOM = (
    "INSERT INTO room (id, uri, kind, label, owner, state, epoch, ck, messages, turned_at, created_at, proved_by)"
    " VALUES ('r', 'https://a.example/r', 'case', 'TLP:AMBER', 'https://a.example/actor', 'open', 1, 'x', 0, 1, 1, '')"
)
SEALED = (
    "INSERT INTO sealed_message (id, uri, room_id, epoch, ck, author, organisation, body, size, at, state, brought)"
    " VALUES ('{0}', 'https://{1}/{0}', 'r', 1, 'x', 'https://{1}/p', 'https://{1}/actor', '12345', 5, 1, 'there', '{2}')"
)
ACTIVITY = (
    "INSERT INTO activity (id, uri, type, actor_id, object_uri, order_key, body, created_at) VALUES ('{0}', 'https://a.example/{0}',"
    ' \'Announce\', \'one\', \'https://far.example/b\', \'k\', \'{{"object":{{"type":"{1}","object":{{"type":"fc:SealedMessage"}}}}}}\', 1)'
)
CONTEXT = "https://a.example/context"


def before(database: Database, step: str) -> None:
    """Brings an empty database to the step before `step`."""
    config = Config()
    config.set_main_option("script_location", str(shipped("migrations")))
    earlier = ScriptDirectory.from_config(config).get_revision(step).down_revision
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        connection.exec_driver_sql("SELECT 1")
        command.upgrade(config, str(earlier))
        raw = connection.connection.dbapi_connection
        assert raw is not None
        raw.commit()
        connection.commit()


def run(database: Database, *statements: str) -> None:
    with database.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def fill(database: Database) -> None:
    no = "false" if database.engine.dialect.name == "postgresql" else "0"
    run(database, ACTOR.format("one"), ACTOR.format("two"), AUDIENCE.format("audience", "one", no))
    run(database, THREAD.format("t", "one", CONTEXT), POST.format("p", "t"), "INSERT INTO thread_read VALUES ('one', 't', 1)")


def test_conversations_keep_their_posts_when_their_table_is_built_anew(database_url: str) -> None:
    database = open_database(database_url)
    before(database, "0006")
    fill(database)
    assert migrate(database.engine)[1] == head()
    with database.engine.connect() as connection:
        joined = "SELECT t.title, p.html, r.read_place FROM thread t JOIN post p ON p.thread_id = t.id JOIN thread_read r"
        joined += " ON r.thread_id = t.id"
        assert connection.execute(sa.text(joined)).all() == [("t", "<p>p</p>", 1)]
        assert connection.execute(sa.text("SELECT stale FROM audience")).scalar_one()
    run(database, THREAD.format("second", "two", CONTEXT))
    for wrong in (THREAD.format("third", "one", CONTEXT), POST.format("lost", "nowhere")):
        with pytest.raises(sa.exc.IntegrityError):
            run(database, wrong)
    indexes = {found["name"] for found in sa.inspect(database.engine).get_indexes("thread")}
    assert indexes == {"ix_thread_group_newest", "ix_thread_group_uri", "ix_thread_uri", "ix_thread_public"}
    database.close()


def test_what_is_sealed_is_counted_anew_for_its_authors_and_what_waits_for_room_holds_up_nobody_else(database_url: str) -> None:
    database = open_database(database_url)
    before(database, "0038")
    run(
        database,
        *(ACTOR.format(one) for one in ("one", "two")),
        "INSERT INTO partner (id, organisation_id, host, state, people, epoch, last_seq, attempts, next_try_at, leased_until, last_error,"
        " created_at, suspended_for, heard_epoch, heard_seq, resync_tries, resync_error, allows, accepted_keys, vouched_keys)"
        " VALUES ('p', 'two', 'm.example', 'admitted', 0, 1, 1, 0, 0, 0, '', 1, '', 0, 0, 0, '', '[]', '', '')",
        ROOM,
        *(SEALED.format(*row) for row in (("a", "lead.example", "lead.example"), ("b", "far.example", "lead.example"), ("c", "me", ""))),
        "INSERT INTO sealed_use (host, room_id, size) VALUES ('lead.example', '', 10), ('lead.example', 'r', 10)",
        *(ACTIVITY.format(*row) for row in (("w", "Create"), ("d", "Delete"))),
        "INSERT INTO delivery (partner_id, seq, activity_id, order_key, state, attempts, next_try_at, error)"
        " VALUES ('p', 1, 'w', 'k', 'waiting', 1, 0, ''), ('p', 2, 'd', 'k', 'waiting', 1, 0, '')",
    )
    migrate(database.engine)
    with database.engine.connect() as connection:
        found = {tuple(row) for row in connection.execute(sa.text("SELECT host, room_id, size FROM sealed_use"))}
        sizes = {"lead.example": 5, "far.example": 5, "via lead.example": 5}
        assert found == {(host, room, size) for host, size in sizes.items() for room in ("", "r")}
        assert dict(connection.execute(sa.text("SELECT id, share FROM activity")).all()) == {"w": "far.example", "d": ""}  # type: ignore[arg-type]
    database.close()


def test_a_step_that_would_leave_rows_pointing_nowhere_changes_nothing(tmp_path: object) -> None:
    database = open_database(f"sqlite:///{tmp_path}/node.db")
    before(database, "0006")
    fill(database)
    with database.engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute(POST.format("lost", "nowhere"))
        raw.commit()
        raw.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(Misconfigured, match="point nowhere"):
        migrate(database.engine)
    assert "mention" not in sa.inspect(database.engine).get_table_names()
    database.close()
