"""Shows on both databases that units running side by side leave streams without gaps, a whole record, and each thing once."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

import fedcollab.app  # noqa: F401  # all tables
from fedcollab.access import audit, policy
from fedcollab.actors import service as actors
from fedcollab.base.addresses import host_of
from fedcollab.base.database import Database, open_database
from fedcollab.base.errors import BadRequest, Refused
from fedcollab.base.model import Model
from fedcollab.base.session import Session
from fedcollab.features.discussions import activities
from fedcollab.features.members import service as members
from fedcollab.federation import delivery, outbox, partners
from fedcollab.federation.models import Activity
from tests.rows import START, home, node, organisation, partner, receive

HERE = node()
HOSTS = ("p.example", "q.example", "r.example")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    made = open_database(database_url)
    Model.metadata.create_all(made.engine)

    def fill(session: Session) -> None:
        home(session, HERE)
        for host in HOSTS:
            partner(session, HERE, host)

    await made.write(fill)
    yield made
    await asyncio.to_thread(made.close)


def publish(session: Session, number: int) -> int:
    """An activity to some of the partners, on record; every fifth one is refused at the end."""
    me = actors.own(session, HERE)
    row = dict(id=f"a{number}", uri=f"u{number}", type="Create", actor_id=me.id, object_uri="o", order_key="t", body="{}", created_at=START)
    session.execute(sa.insert(Activity).values(row))
    to = [found.organisation_id for place, found in enumerate(partners.listed(session)) if (number >> place) & 1]
    outbox._queue(session, f"a{number}", to[:: 1 if number % 2 else -1], "t")
    audit.record(session, HERE.now(), None, "post.create", str(number))
    if number % 5 == 0:
        raise Refused
    return number


async def test_streams_have_no_gaps_and_the_record_is_whole(database: Database) -> None:
    answers = await asyncio.gather(*(database.write(publish, n) for n in range(60)), return_exceptions=True)
    good = {n for n in range(60) if n % 5}
    assert {answer for answer in answers if isinstance(answer, int)} == good
    found = await database.read(lambda session: [(p.id, p.last_seq, place) for place, p in enumerate(partners.listed(session))])
    for partner_id, last, place in found:
        query = sa.text("SELECT seq, activity_id FROM delivery WHERE partner_id = :p ORDER BY seq")
        rows = await database.read(lambda session, p=partner_id, q=query: [tuple(row) for row in session.execute(q, {"p": p})])
        assert [seq for seq, _ in rows] == list(range(1, last + 1))
        assert {activity for _, activity in rows} == {f"a{n}" for n in good if (n >> place) & 1}
    verdict = await database.read(audit.verify)
    assert (verdict.entries, verdict.broken_at) == (len(good), None)


async def test_a_partner_is_leased_to_one_of_many_who_ask_at_once(database: Database) -> None:
    await database.write(publish, 7)
    leased = await asyncio.gather(*(database.write(delivery.lease, HERE.now()) for _ in range(12)))
    assert sorted(host for found in leased for _, host in found) == sorted(HOSTS)


async def test_an_activity_that_arrives_many_times_at_once_is_stored_once(database: Database) -> None:
    def arrive(session: Session) -> bool:
        sender = actors.by_uri(session, "https://p.example/actor")
        assert sender
        return receive(session, HERE, sender, {"id": "https://p.example/1", "type": "Create", "object": "x"})

    assert sorted(await asyncio.gather(*(database.write(arrive) for _ in range(12)))) == [False] * 11 + [True]


async def test_what_is_there_once_is_made_once_however_many_ask(database: Database) -> None:
    them = await database.write(organisation, "far.example")
    audience = await database.write(
        lambda session: policy.open_audience(session, now=START, label="TLP:GREEN", owner_id=them, group_id=them, history=False)
    )
    who = (await database.read(partners.find, "p.example")).organisation_id
    await asyncio.gather(*(database.write(lambda s: policy.admit(s, audience, who, since=5)) for _ in range(12)))
    await asyncio.gather(*(database.write(partners.knock, HERE, "x.example", "u") for _ in range(12)))
    assert (await database.read(partners.applications))[0]["times"] == 12
    assert await database.read(lambda session: len(list(session.scalars(policy.recipients(), {"audience": audience})))) == 2


async def test_of_two_who_use_one_invitation_at_once_one_joins(database: Database) -> None:
    token = await database.write(members.invite, HERE, None, ["member"])

    async def join(number: int) -> str:
        words = dict(username=f"guest{number}", name="Guest", password_hash="x", language="", agent="")
        return str(await database.write(members.join, HERE, token, **words))

    answers = await asyncio.gather(*(join(n) for n in range(6)), return_exceptions=True)
    assert [type(answer).__name__ for answer in answers if not isinstance(answer, str)] == ["Gone"] * 5
    assert len(await database.read(members.listed)) == 1


async def test_an_id_too_long_for_an_index_is_refused_and_never_tried_for_ever(database: Database) -> None:
    tail = "".join(chr(0x4E00 + n * 7 % 20_000) for n in range(1_900))
    with pytest.raises(BadRequest):
        host_of("https://p.example/" + tail)
    with pytest.raises(BadRequest):
        activities.parse({"id": "https://p.example/1", "type": "Note", "context": tail}, "https://p.example/a", START)
    sender = await database.read(lambda session: actors.by_uri(session, "https://p.example/actor"))
    activity = {"id": "https://p.example/1", "type": "Create", "object": {"context": tail}}
    assert await database.write(lambda session: receive(session, HERE, sender, activity))


async def test_what_the_database_can_never_take_is_no_reason_to_come_back_later(database: Database) -> None:
    tail = "".join(chr(0x4E00 + n * 7 % 20_000) for n in range(3_000))
    row = dict(id="a1", uri=tail, type="Create", actor_id="a", object_uri="o", order_key="", body="", created_at=START)

    def insert(session: Session) -> None:
        row["actor_id"] = actors.own(session, HERE).id
        session.execute(sa.insert(Activity).values(row))
        raise Refused(reason="SQLite takes it")

    with pytest.raises((Refused, sa.exc.DBAPIError)):
        await database.write(insert)
