"""Shows whom a web server's word judges that nobody is behind it: the partner where its node answers to nothing, else one activity."""

import pytest
import sqlalchemy as sa
from aiohttp import web

from fedcollab.base.database import wake
from fedcollab.base.session import Session
from fedcollab.features.discussions import service
from fedcollab.federation import delivery
from fedcollab.federation.models import Delivery, Partner
from tests.nodes import until

from .conftest import Scene

LINE = "SELECT attempts, last_error FROM partner"
QUEUE = "SELECT state, attempts, status FROM delivery WHERE seq > :after ORDER BY seq"


async def write(scene: Scene, title: str) -> None:
    await scene.here.write(service.post_thread, scene.here.viewer, scene.group.id, title=title, text=title)


def now(session: Session) -> None:
    """What waits is due at once."""
    session.execute(sa.update(Partner).values(next_try_at=0))
    session.execute(sa.update(Delivery).values(next_try_at=0))
    wake(session, "delivery")


async def numbered(scene: Scene) -> int:
    return int((await scene.here.sql("SELECT last_seq FROM partner"))[0][0])


@pytest.mark.parametrize("status", [502, 504])
async def test_what_waits_for_a_node_that_is_stopped_behind_its_web_server_is_never_parked(scene: Scene, status: int) -> None:
    here, after = scene.here, await numbered(scene)

    async def stopped(_: web.Request) -> web.Response:
        return web.Response(status=status)

    scene.p.answer = stopped
    await write(scene, "Waits")
    for tries in range(1, delivery.TRIES + 2):
        await until("it is tried", lambda tries=tries: here.sql("SELECT 1 FROM partner WHERE attempts >= :tries", tries=tries))
        assert [row[:2] for row in await here.sql(QUEUE, after=after)] == [("waiting", 0)]
        await here.read_write(now)
    assert (await here.sql(LINE))[0][1] == f"answered {status}"
    scene.p.answer = None
    await here.read_write(now)
    await until("it arrives", lambda: here.sql("SELECT 1 FROM delivery WHERE seq > :after AND state = 'done'", after=after))
    assert await here.sql(LINE) == [(0, "")]


async def test_an_activity_that_kills_the_node_behind_its_web_server_is_parked_and_holds_nothing_up(scene: Scene) -> None:
    here, after = scene.here, await numbered(scene)

    async def stumbles(request: web.Request) -> web.Response | None:
        return web.Response(status=502) if request.method == "POST" and b"Kills" in await request.read() else None

    scene.p.answer = stumbles
    await write(scene, "Kills")
    for tries in range(1, delivery.TRIES + 1):
        tried = "SELECT 1 FROM delivery WHERE seq > :after AND attempts >= :tries"
        await until("it is tried", lambda tried=tried, tries=tries: here.sql(tried, after=after, tries=tries))
        await here.read_write(now)
    assert await here.sql(QUEUE, after=after) == [("parked", delivery.TRIES, 502)]
    await write(scene, "Good")
    await until("it arrives", lambda: here.sql("SELECT 1 FROM delivery WHERE seq > :after AND state = 'done'", after=after))
    assert await here.sql(LINE) == [(0, "")]
