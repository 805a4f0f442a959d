"""Shows that what a partner may not see answers exactly like what does not exist."""

import pytest

from fedcollab.base.clock import new_id
from fedcollab.features.discussions import service
from tests import nodes

from .conftest import Scene


@pytest.mark.rule("CONF-01")
@pytest.mark.parametrize("label", ["TLP:GREEN", "TLP:AMBER+STRICT"])
async def test_a_partner_that_is_no_party_cannot_tell_what_exists_from_what_does_not(scene: Scene, label: str) -> None:
    group = await scene.here.group("closed", label)
    posted = await scene.here.write(service.post_thread, scene.here.viewer, group.id, title="Hidden", text="Hidden words")
    late = await nodes.rogue("Latecomer")
    wider = nodes.may_also_reach(scene.here, late)
    await nodes.admit(wider, late)
    await wider.kernel.fetcher.close()
    for path, row_id in (
        ("/groups/%s", group.id if label != "TLP:GREEN" else new_id()),  # of a GREEN one it hears, for it may write there now
        ("/threads/%s", posted.thread_id),
        ("/posts/%s", posted.post_id),
        ("/posts/%s/history", posted.post_id),
    ):
        real, none = [await late.get(scene.here, path % one) for one in (row_id, new_id())]
        assert real == none, path
        assert real[0] in (303, 404)
        assert "Hidden" not in real[2]
        if label == "TLP:GREEN" and path.startswith(("/threads", "/posts")) and not path.endswith("history"):
            assert (await scene.p.get(scene.here, path % row_id))[0] == 200, "a party reads it"
    await late.stop()
