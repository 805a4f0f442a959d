"""A node that came out of a backup says what partners gave back and what contradicts it; one that did not has no such page."""

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.admin import restored
from fedcollab.base.clock import DAY, HOUR
from fedcollab.base.session import Session
from fedcollab.features.discussions.models import Post
from fedcollab.federation.models import REFUSED, Application, InboxItem, Partner
from tests.features.conftest import House, house
from tests.rows import partner

__all__ = ["house"]
AT = "/admin/restored"


async def test_without_a_restore_there_is_no_such_page_and_nothing_at_home(house: House) -> None:
    assert (await house.admin.ask("GET", AT))[0] == 404
    assert AT not in (await house.admin.ask("GET", "/"))[2]


def came_back(session: Session, node: Node, made_at: int) -> None:
    restored.remember(session, node, made_at)


async def test_what_came_back_and_what_contradicts_the_backup_is_shown_to_admins_alone(house: House) -> None:
    node, write = house.site.kernel.node, house.site.kernel.database.write
    group = await house.site.group(house.admin, "leads", "TLP:GREEN")
    posted = await house.site.thread(house.admin, group)
    friend = await write(partner, node, "friend.example")
    await write(came_back, node, node.now() - DAY)

    def happen(session: Session) -> None:
        at = node.now()
        session.execute(sa.update(Post).values(confirmed_at=at + 1, posted_at=at - HOUR))
        session.execute(
            sa.insert(Application).values(host="unknown.example", actor_uri="https://unknown.example/actor", first_at=1, last_at=at)
        )
        owner = session.scalar(sa.select(Partner.organisation_id))
        row = dict(host="friend.example", uri="https://friend.example/1", sender_id=owner, order_key="", body={}, state=REFUSED)
        session.execute(sa.insert(InboxItem).values(**row, attempts=0, next_try_at=0, reason="x", received_at=at))

    await write(happen)
    assert friend is not None
    status, _, page = await house.admin.ask("GET", AT)
    assert status == 200
    for words in ("1 post of your own members came back", "unknown.example", "1 message was refused", "Being asked"):
        assert words in page, words
    assert "Nothing has contradicted" not in page

    def answered(session: Session) -> None:
        session.execute(sa.update(Post).values(reply_to=node.settings.uri("/posts/gone"), confirmed_at=node.now() + 1))
        session.execute(sa.update(Partner).values(whole_at=node.now()))

    await write(answered)
    page = (await house.admin.ask("GET", AT))[2]
    assert f"/posts/{posted.post_id}" in page
    assert "All that it has sent is here" in page
    assert AT in (await house.admin.ask("GET", "/"))[2]
    member = await house.site.member("daan", "member")
    assert (await member.ask("GET", AT))[0] == 404


async def test_after_45_days_it_is_over(house: House) -> None:
    node, write = house.site.kernel.node, house.site.kernel.database.write
    await write(came_back, node, node.now() - DAY)

    def age(session: Session) -> None:
        session.execute(sa.update(restored.Said).values(at=node.now() - 20 * DAY))

    await write(age)
    assert AT not in (await house.admin.ask("GET", "/"))[2]
    assert (await house.admin.ask("GET", AT))[0] == 200
    await write(lambda session: session.execute(sa.update(restored.Said).values(at=node.now() - 46 * DAY)).rowcount)
    assert (await house.admin.ask("GET", AT))[0] == 404
