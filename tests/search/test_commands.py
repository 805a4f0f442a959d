"""Shows the commands of search on a whole node: how far it has come, making it anew, clearing deleted words away at once."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from fedcollab import cli
from fedcollab.app import make_kernel
from fedcollab.base import config
from fedcollab.base.database import run_sync
from fedcollab.base.paths import NodeFiles
from fedcollab.features.discussions import groups, service
from fedcollab.features.members import service as members
from fedcollab.features.members import sessions
from fedcollab.search.models import SearchEntry
from fedcollab.setup import init


def filled(place: Path) -> None:
    """A node with a conversation, and a deleted one."""
    init(place, {"name": "Meridian Outreach", "base_url": "http://127.0.0.1:9", "listen": "127.0.0.1:9", "trial": True})
    kernel = make_kernel(config.load(place, {}), NodeFiles(place))

    def work(session: Any) -> None:
        member = members.add_member(session, kernel.node, None, username="ilse", name="Ilse", roles=["admin", "member"])
        token = sessions.start_session(session, kernel.node, member.person_id, "test")
        signed = sessions.signed_in(session, kernel.node, token)
        assert signed is not None
        group = groups.create(session, kernel.node, signed.viewer, slug="leads", name="Leads", label="TLP:AMBER+STRICT")
        for title in ("Kept", "Gone"):
            made = service.post_thread(session, kernel.node, signed.viewer, group.id, title=title, text="words")
        service.delete(session, kernel.node, signed.viewer, made.post_id)

    run_sync(kernel.database, work)
    kernel.database.close()


def run(place: Path, *words: str) -> dict[str, Any]:
    done = CliRunner().invoke(cli.app, ["-C", str(place), "search", *words, "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.output)
    return found


def test_the_index_is_thrown_away_and_made_anew_and_deleted_words_cleared_at_once(tmp_path: Path) -> None:
    place = tmp_path / "node"
    filled(place)
    before = run(place, "status")
    assert before["entries"] >= 3, "a conversation, a group, a member"
    assert set(before["waiting"]) >= {"names", "posts"}
    assert before["deleted_since"] is not None
    run(place, "rebuild", "--clear")
    assert run(place, "status")["deleted_since"] is None
    kernel = make_kernel(config.load(place, {}), NodeFiles(place))
    run_sync(kernel.database, lambda session: session.execute(SearchEntry.__table__.delete()))  # as after something unforeseen
    kernel.database.close()
    assert run(place, "rebuild")["entries"] == before["entries"] + 1, "and our own organisation, which init made before there was a house"
    assert run(place, "status")["waiting"] == {}
