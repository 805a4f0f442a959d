"""Shows that what was given up goes to nobody any more whom it is not for: not by the queue, not by the stream of a partner."""

from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.features.discussions import groups, service
from fedcollab.federation import outbox, partners, queue, streams
from fedcollab.federation.models import LEFT, PARKED, Delivery, Partner

from .conftest import Scene


async def given_up(scene: Scene) -> service.Posted:
    """A post of ours whose delivery to the partner was parked."""
    posted: service.Posted = await scene.here.write(service.post_thread, scene.here.viewer, scene.group.id, title="T", text="not for all")

    def park(session: Session, _node: Node) -> None:
        session.execute(sa.update(Delivery).where(Delivery.order_key == posted_uri).values(state=PARKED))

    posted_uri = (await scene.here.sql("SELECT uri FROM thread WHERE id = :id", id=posted.thread_id))[0][0]
    await scene.here.write(park)
    return posted


async def offered(scene: Scene) -> list[str]:
    """What the partner reads in its stream."""
    partner = (await scene.here.sql("SELECT id FROM partner"))[0][0]
    found = await scene.here.read(streams.page, partner, (1, 0))
    return [body for _, body in found.entries]


async def partner_of(scene: Scene) -> Any:
    return await scene.here.read(lambda session: session.execute(sa.select(Partner.id, Partner.organisation_id)).one())


@pytest.mark.rule("FED-06")
async def test_who_may_take_part_no_more_reads_nothing_of_it_in_its_stream(scene: Scene) -> None:
    posted = await given_up(scene)
    assert [body for body in await offered(scene) if posted.uri in body]
    await scene.here.write(groups.expel_partner, (await partner_of(scene)).organisation_id)
    assert not [body for body in await offered(scene) if posted.uri in body]
    assert await scene.here.write(queue.retry) == 0


async def test_what_was_removed_is_not_sent_by_trying_again(scene: Scene) -> None:
    posted = await given_up(scene)
    await scene.here.write(outbox.withhold, posted.uri, "removed")
    assert not [body for body in await offered(scene) if posted.uri in body]
    assert await scene.here.write(queue.retry) == 0


async def test_a_partner_that_has_left_is_sent_nothing_by_trying_again(scene: Scene) -> None:
    await given_up(scene)
    found = await scene.here.read(partners.find, scene.p.url)
    await scene.here.write(partners.move, None, found, LEFT)
    assert await scene.here.write(queue.retry) == 0, "not even before what waited is dropped"
    await scene.here.write(partners.drop_waiting, found)
    assert await scene.here.sql("SELECT count(*) FROM delivery WHERE state IN ('parked', 'waiting')") == [(0,)]
