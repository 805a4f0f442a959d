"""Shows that a node and an organisation on other software (Fedify) follow each other and hold one discussion, both ways."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fedcollab import __version__
from fedcollab.admin import partners as acts
from fedcollab.features.discussions import service
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import fetch
from fedcollab.federation.models import LEFT
from tests import nodes

from .conftest import Harbour, Meeting, Say

pytestmark = pytest.mark.peers


def taken(answer: dict[str, Any]) -> str:
    """The form of signature in which the peer's activity was taken; the one that it tried before was refused in the way it understands."""
    assert answer["error"] == ""
    *before, last = answer["knocks"]
    assert [knock["status"] for knock in before] in ([], [401])
    assert last["status"] == 202
    return str(last["form"])


async def test_each_finds_the_other(meeting: Meeting, harbour: Harbour) -> None:
    here = meeting.here
    assert await fetch.webfinger(here.kernel, harbour.url) == harbour.uri("harbour")
    found = await harbour.order("lookup", uri=here.url + "/actor")
    assert (found["object"]["id"], found["object"]["type"]) == (here.url + "/actor", "Organization")
    assert [link["href"] for link in found["webfinger"]["links"]] == [here.url + "/actor"]
    group = await harbour.order("lookup", uri=meeting.group.uri)
    assert (group["object"]["id"], group["object"]["type"], group["object"]["name"]) == (meeting.group.uri, "Group", "Leads")
    assert group["webfinger"] is None, "a handle of a group is told to signed questions alone, and others ask theirs unsigned"


async def test_each_follows_the_other_until_one_takes_it_back(meeting: Meeting, harbour: Harbour) -> None:
    here, theirs = meeting.here, harbour.uri("harbour")
    [follow] = await harbour.received("Follow", actor=here.url + "/actor")
    assert follow["object"] == theirs
    [accept] = await harbour.received("Accept", actor=here.url + "/actor")
    sent = accept["object"]["id"]
    assert await here.sql("SELECT uri FROM follow WHERE uri = :uri", uri=sent) == [(sent,)]
    assert await here.sql("SELECT a.known FROM actor a WHERE a.uri = :uri", uri=theirs) == [("partner",)]
    taken(await harbour.order("unfollow", target=here.url + "/actor", inbox=meeting.inbox, follow=sent))
    await here.quiet()
    assert await here.sql("SELECT uri FROM follow WHERE uri = :uri", uri=sent) == []
    await here.write(acts.change, here.viewer, harbour.url, LEFT)
    [undo] = await nodes.until("our Undo", lambda: harbour.received("Undo", actor=here.url + "/actor"))
    assert ap.ident(undo["object"]) == follow["id"]
    again = await harbour.order("create", group=meeting.group.uri, inbox=meeting.inbox, text="<p>to those who left</p>")
    assert {403} <= {knock["status"] for knock in again["knocks"]} <= {401, 403}, "401 to a form that it tries beside"


async def test_what_their_member_writes_changes_and_deletes_in_our_group_is_here_and_is_passed_on(
    meeting: Meeting, harbour: Harbour, say: Say
) -> None:
    here, group = meeting.here, meeting.group
    made = await harbour.order("create", group=group.uri, inbox=meeting.inbox, text="<p>from the harbour</p>")
    forms = [taken(made)]
    assert await meeting.text(made["note"]) == "<p>from the harbour</p>"
    [(known, through)] = await here.sql("SELECT known, through_id FROM actor WHERE uri = :uri", uri=harbour.uri("mara"))
    assert (known, through) == ("foreign", None), "nobody vouches for a person of other software: their key is pinned at first sight"
    [echo] = await nodes.until("our echo of it", lambda: harbour.received("Announce", actor=group.uri, object=made["id"]))
    passed_on = (await harbour.order("seen"))["bodies"][echo["id"]]["object"]
    assert {"signature", "proof"} <= set(passed_on), "a Linked-Data signature beside the proof takes nothing from it"
    assert await harbour.order("verify", activity=passed_on) == {"believed": True}
    assert await nodes.until("it holds the post", lambda: harbour.holds(made["note"])) == "<p>from the harbour</p>"
    forms.append(taken(await harbour.order("update", note=made["note"], text="<p>from the pier</p>")))
    assert await meeting.text(made["note"]) == "<p>from the pier</p>"

    async def changed() -> bool:
        return await harbour.holds(made["note"]) == "<p>from the pier</p>"

    await nodes.until("our echo of the change", changed)
    forms.append(taken(await harbour.order("delete", note=made["note"])))
    assert await meeting.text(made["note"]) is None
    say(f"Fedify to us: Create, Update, Delete taken, signed by {' and '.join(sorted(set(forms)))}")


async def test_what_our_member_writes_changes_and_deletes_is_there(meeting: Meeting, harbour: Harbour, say: Say) -> None:
    here = meeting.here
    made = await here.write(service.post_thread, here.viewer, meeting.group.id, title="Adverts", text="What do *you* see?")
    assert await nodes.until("the post", lambda: harbour.holds(made.uri)) == "<p>What do <em>you</em> see?</p>"
    answer = await harbour.order("create", group=meeting.group.uri, inbox=meeting.inbox, text="<p>The same.</p>", inReplyTo=made.uri)
    taken(answer)
    await here.quiet()
    assert await here.sql("SELECT thread_id, reply_to FROM post WHERE uri = :uri", uri=answer["note"]) == [(made.thread_id, made.uri)]
    await here.write(service.edit, here.viewer, made.post_id, text="What do you all see?")

    async def changed() -> bool:
        return await harbour.holds(made.uri) == "<p>What do you all see?</p>"

    await nodes.until("the change", changed)
    await here.write(service.delete, here.viewer, made.post_id)

    async def gone() -> bool:
        return await harbour.holds(made.uri) is None

    await nodes.until("the deletion", gone)
    incoming = [r for r in (await harbour.order("seen"))["incoming"] if r["agent"] != "harbour/1.0"]
    ours = Counter((r["method"], r["form"]) for r in incoming if not r["path"].startswith("/.well-known/") and r["status"] < 300)
    assert set(ours) & {("POST", "draft-cavage"), ("POST", "RFC 9421")}
    assert not [key for key in ours if key[1] == "unsigned"]
    assert {r["agent"] for r in incoming} == {f"fedcollab/{__version__} (+{here.url}/)"}

    async def done() -> bool:
        return await here.sql("SELECT DISTINCT state FROM delivery") == [("done",)]

    await nodes.until("every delivery is done", done)
    say(
        "we to Fedify: Follow, Accept, Announce of Create, Update, Delete taken, signed by "
        + " and ".join(sorted({form for _, form in ours}))
    )


async def test_they_believe_our_proofs_and_none_of_changed_words(meeting: Meeting, harbour: Harbour) -> None:
    here = meeting.here
    made = await here.write(service.post_thread, here.viewer, meeting.group.id, title="T", text="Proved.")
    await nodes.until("the post", lambda: harbour.holds(made.uri))
    bodies = (await harbour.order("seen"))["bodies"].values()
    [announce] = [b for b in bodies if b["type"] == "Announce" and ap.ident(b["object"].get("object")) == made.uri]
    for activity in (announce, announce["object"]):
        assert (await harbour.order("verify", activity=activity)) == {"believed": True}
        assert (await harbour.order("verify", activity=activity | {"published": "2020-01-01T00:00:00Z"})) == {"believed": False}


async def test_what_their_own_group_passes_on_is_read_from_its_server_once_our_admin_follows_it(meeting: Meeting, harbour: Harbour) -> None:
    here, before = meeting.here, await meeting.here.tables()
    sent = await harbour.order("announce", inbox=meeting.inbox, text="<p>by the circle</p>")
    taken(sent)
    assert await meeting.text(sent["note"]) is None
    [(state, reason)] = await here.sql("SELECT state, reason FROM inbox_item WHERE uri = :uri", uri=sent["id"])
    assert (state, reason) == ("refused", "a group without a list of who is inside")
    after = await here.tables()
    assert {name for name in after if after[name] != before[name]} == {"actor", "actor_key", "inbox_item"}
    await acts.follow_group(here.kernel, here.viewer, harbour.uri("circle"))
    mine = "SELECT 1 FROM follow f JOIN actor a ON a.id = f.target_id WHERE a.uri = :uri AND f.state = 'accepted'"
    await nodes.until("its Accept", lambda: here.sql(mine, uri=harbour.uri("circle")))
    sent = await harbour.order("announce", inbox=meeting.inbox, text="<p>by the circle</p>")
    taken(sent)
    assert await meeting.text(sent["note"]) == "<p>by the circle</p>"


async def test_what_another_nodes_member_writes_in_our_group_they_ask_that_node_for_which_tells_the_host_alone(
    meeting: Meeting, harbour: Harbour, tmp_path: Path
) -> None:
    """Fedify does not look at the proof where an activity lies on another host than its Announce: it asks there, signed."""
    here, port = meeting.here, nodes.free_port()
    ports = tuple(int(url.rpartition(":")[2]) for url in (here.url, harbour.url))
    object.__setattr__(here.kernel.fetcher, "peers", frozenset({*here.kernel.fetcher.peers, f"127.0.0.1:{port}"}))
    other = await nodes.start(tmp_path, port=port, peers=ports, name="Casa Ladera")
    try:
        await acts.add(other.kernel, other.viewer, harbour.uri("harbour"), approve=True)
        await nodes.befriend(here, other)
        group = await nodes.until("the group", lambda: other.sql("SELECT id FROM actor WHERE uri = :uri", uri=meeting.group.uri))
        made = await other.write(service.post_thread, other.viewer, group[0][0], title="T", text="For partners.")
        [(create,)] = await other.sql("SELECT uri FROM activity WHERE object_uri = :uri", uri=made.uri)

        async def answered() -> set[int]:
            return {request["status"] for request in (await harbour.order("seen"))["outgoing"] if request["url"] == create}

        assert await nodes.until("it has asked", answered) == {404}
        assert await meeting.text(made.uri) == "<p>For partners.</p>"
        assert await harbour.holds(made.uri) is None
    finally:
        await other.stop()
