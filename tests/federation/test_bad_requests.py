"""Shows what the inbox answers to whom, that each refusal has no effect, and that its reason stands in the log without content."""

import json
import logging

import pytest

from fedcollab.base.clock import HOUR, new_id, system_clock
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import signatures
from tests import nodes

from .conftest import Scene

MARKER = "a name that no log may hold"


@pytest.fixture(autouse=True)
def _logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="fedcollab")


def reasons(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    """(status, reason) of each refusal in the log."""
    return [(record.status, record.reason) for record in caplog.records if record.name == "fedcollab.web"]  # type: ignore[attr-defined]


async def test_an_unsigned_request_is_401(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    before = await scene.here.tables()
    body = json.dumps(await scene.create(content=MARKER)).encode()
    for path in ("/inbox", "/actor/inbox", f"/groups/{scene.group.id}/inbox"):
        assert await nodes.raw_post(scene.here.url + path, {}, body) == 401
    assert await scene.here.tables() == before
    assert [status for status, reason in reasons(caplog) if reason] == [401] * 3
    await scene.twin()
    assert MARKER not in caplog.text


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ({"body": b'{"id": "another"}'}, "Digest does not match"),
        ({"headers": {"Signature": "nonsense"}}, ""),
        ({"headers": {"Signature": 'keyId="x",signature="AAAA"'}}, ""),
        ({"now": system_clock() - 2 * HOUR}, ""),
        ({"headers": {"Host": "elsewhere.example"}}, ""),
    ],
)
async def test_a_badly_signed_request_is_401_and_says_why_in_the_log(
    scene: Scene, caplog: pytest.LogCaptureFixture, over: dict[str, object], reason: str
) -> None:
    before = await scene.here.tables()
    assert await scene.p.send(scene.here, await scene.create(content=MARKER), **over) == 401
    assert await scene.here.tables() == before
    [(status, said)] = reasons(caplog)
    assert (status, reason in said, bool(said)) == (401, True, True)
    await scene.twin()


async def test_a_strangers_signed_request_is_403_and_fetches_nothing(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    x = await nodes.rogue("Stranger")
    before = await scene.here.tables()
    assert await x.send(scene.here, x.create(x.uri("/people/sokha"), scene.group.uri)) == 403
    assert (x.fetched, await scene.here.tables(), reasons(caplog)) == ([], before, [(403, "not an admitted partner")])
    await x.stop()
    await scene.twin()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "json"),
        (b"not json", "json"),
        (b"[]", "not an object"),
        (b"7", "not an object"),
        (b'{"type": "Create"}', "an activity needs an id and a type"),
        (b'{"id": "HERE/activities/1"}', "an activity needs an id and a type"),
        (b'{"id": "HERE/activities/1", "type": "Create", "object": {"type": "Note"}}', "an object needs an id and a type"),
        (b'{"id": "HERE/activities/1", "id": "HERE/activities/2", "type": "Create"}', "twice"),
        (b'{"id": "HERE/activities/1", "type": "Create", "n": NaN}', "json"),
        (b'{"id": "HERE/activities/1", "type": "Create", "x": ' + b"[" * 40 + b"]" * 40 + b"}", "deep"),
    ],
)
async def test_a_well_signed_document_of_the_wrong_shape_is_400_with_the_reason_in_the_log(
    scene: Scene, caplog: pytest.LogCaptureFixture, body: bytes, reason: str
) -> None:
    before = await scene.here.tables()
    sent = body.replace(b"HERE", scene.p.url.encode())
    assert await scene.p.send(scene.here, sent, actor=scene.author) == 400
    assert await scene.here.tables() == before
    [(status, said)] = reasons(caplog)
    assert (status, bool(said)) == (400, True)
    assert reason in said, said
    await scene.twin()


async def test_another_media_type_is_400_and_too_much_is_413(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    before = await scene.here.tables()
    activity = await scene.create()
    assert await scene.p.send(scene.here, activity, headers={"Content-Type": "application/json"}) == 400
    assert await scene.p.send(scene.here, await scene.create(content="x" * 1_100_000)) == 413
    assert await scene.here.tables() == before
    assert reasons(caplog)[0] == (400, "another media type")
    await scene.twin()


async def test_a_duplicate_is_202_and_stored_once(scene: Scene) -> None:
    activity = await scene.create()
    assert [await scene.p.send(scene.here, activity) for _ in range(3)] == [202] * 3
    assert await scene.stored(activity)
    changed = scene.p.prove({k: v for k, v in activity.items() if k != "proof"} | {"summary": "other"}, scene.author)
    assert await scene.p.send(scene.here, changed) == 202
    await scene.here.quiet()
    for table, uri in (("inbox_item", activity["id"]), ("post", activity["object"]["id"])):  # type: ignore[index]
        assert await scene.here.sql(f"SELECT count(*) FROM {table} WHERE uri = :uri", uri=uri) == [(1,)]
    again = scene.p.prove(ap.activity("Create", scene.p.uri(f"/activities/{new_id()}"), scene.author, activity["object"]), scene.author)
    assert await scene.p.send(scene.here, again) == 202
    await scene.here.quiet()
    assert await scene.here.sql("SELECT count(*) FROM post WHERE uri = :uri", uri=activity["object"]["id"]) == [(1,)]  # type: ignore[index]


async def test_a_signature_is_good_for_its_own_address_alone(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    body = json.dumps(await scene.create()).encode()
    headers = signatures.sign(scene.p.signers[scene.author]["rsa"], "POST", scene.here.url + "/inbox", body, system_clock())
    for path in ("/actor/inbox", "/inbox?x=1"):
        assert await nodes.raw_post(scene.here.url + path, headers, body) == 401
    assert await nodes.raw_post(scene.here.url + "/inbox", headers, body) == 202
    assert all(status == 401 for status, _ in reasons(caplog))
