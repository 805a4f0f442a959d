"""Shows on both databases that members who act at once get no more than one of them would: one account, one admin who stays."""

import asyncio
from collections.abc import AsyncIterator

import pytest

import fedcollab.app  # noqa: F401  # all tables
from fedcollab.base.database import Database, open_database
from fedcollab.base.errors import Gone, Refused
from fedcollab.base.model import Model
from fedcollab.base.session import Session
from fedcollab.features.members import service
from tests.rows import home, node

HERE = node()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    made = open_database(database_url)
    Model.metadata.create_all(made.engine)
    await made.write(lambda session: home(session, HERE).id)
    yield made
    await asyncio.to_thread(made.close)


def joined(session: Session, token: str, name: str) -> str:
    return service.join(session, HERE, token, username=name, name=name, password_hash="h", language="fr", agent="a")


async def test_an_invitation_that_two_use_at_once_makes_one_account(database: Database) -> None:
    token = await database.write(service.invite, HERE, None, ["member"])
    answers = await asyncio.gather(*(database.write(joined, token, name) for name in ("amal", "noor", "lea")), return_exceptions=True)
    assert [type(answer) for answer in answers if not isinstance(answer, str)] == [Gone, Gone]
    assert len(await database.read(service.listed)) == 1


async def test_two_admins_who_disable_each_other_at_once_leave_one(database: Database) -> None:
    for name in ("amal", "noor"):
        await database.write(service.add_member, HERE, None, username=name, name=name, roles=["admin"])
    acts = [database.write(service.disable, HERE, None, name) for name in ("amal", "noor")]
    answers = await asyncio.gather(*acts, return_exceptions=True)
    assert [type(answer) for answer in answers if answer is not None] == [Refused]
    assert len(await database.read(service.admins)) == 1
