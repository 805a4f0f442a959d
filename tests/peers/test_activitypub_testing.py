"""Shows which of the rules that the command activitypub-testing knows our actors pass, and that no other one changes unseen."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fedcollab.features.discussions import service
from fedcollab.features.members import service as members
from fedcollab.features.members import tokens
from tests import nodes

from .conftest import Say
from .gateway import Gateway

pytestmark = pytest.mark.peers

SERVED, BOXES = "actor-must-serve-as2-object-to-get", "actor-objects-must-have-inbox-outbox-properties"
INBOX, OUTBOX = "inbox-must-be-an-orderedcollection", "outbox-must-be-an-orderedcollection"
FOLLOWERS, FOLLOWING = "followers-collection-must-be-a-collection", "following-collection-must-be-a-collection"
NEVER = {  # of lists that our actors do not have, and of a submission without a type
    "shares-collection-must-be-a-collection",
    "likes-collection-must-be-a-collection",
    "liked-collection-must-be-a-collection",
    "outbox-post-server-adds-to-outbox-collection-checked-by-outbox-get",
}
POSTED = {
    "outbox-post-servers-must-return-a-201-created-http-code",
    "outbox-post-must-accept-non-activity-object",
    "outbox-wraps-object-with-create-checked-using-get-location",
    "post-outbox-server-overwrites-id-property",
}
CHANGED = "create-then-update-modifies-object-checked-by-get"
RULES = {SERVED, BOXES, INBOX, OUTBOX, FOLLOWERS, FOLLOWING, CHANGED} | NEVER | POSTED
PASSED = {
    "Organization": {SERVED, BOXES, OUTBOX, FOLLOWERS, FOLLOWING},
    "Group": {SERVED, BOXES, OUTBOX, FOLLOWERS},
    "Person": {SERVED, BOXES, INBOX, OUTBOX} | POSTED,
}
FAILED = {"Person": {CHANGED}}  # with its reason in FEDERATION.md


async def outcomes(program: str, packages: Path, actor: str) -> dict[str, str]:
    """What the command says of an actor: {rule: outcome}."""
    command = [program, str(packages / ".bin" / "activitypub-testing"), "test", "actor", actor, "--output=json-seq"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    out, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, errors.decode()
    found = [json.loads(text) for text in out.decode().split("\x1e") if text.strip()]
    return {assertion["test"]["slug"]: assertion["result"]["outcome"] for assertion in found}


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    p = await nodes.rogue()
    here = await nodes.start(tmp_path, peers=(p.port,))
    await nodes.admit(here, p)
    made = Gateway(here, p)
    runner = await made.start()
    yield made
    await runner.cleanup()
    await here.stop()
    await p.stop()


def expected(kind: str) -> dict[str, str]:
    return {rule: "failed" if rule in FAILED.get(kind, ()) else "passed" if rule in PASSED[kind] else "inapplicable" for rule in RULES}


async def member(here: nodes.Here) -> tuple[str, str]:
    """The address and a token of somebody who has an account."""
    await here.write(members.add_member, None, username="vera", name="Vera L.", roles=["member"], password_hash="")
    token = await here.write(tokens.create, None, "vera", purpose="the rules", scopes=["read", "write"], days=1)
    [(uri,)] = await here.sql("SELECT uri FROM actor WHERE username = 'vera'")
    return uri, token


async def test_each_rule_has_the_outcome_that_federation_md_states(gateway: Gateway, program: str, packages: Path, say: Say) -> None:
    here = gateway.here
    group, (person, token) = await here.group(), await member(here)
    answered = await here.write(service.post_thread, here.viewer, group.id, title="Asked", text="Does this work?")
    asked = [("Organization", here.url + "/actor")]  # by anybody; the others, and once more, by a partner
    asked += [("Organization", gateway.at(here.url + "/actor")), ("Group", gateway.at(group.uri)), ("Person", gateway.at(person))]
    counts: dict[str, Counter[str]] = {rule: Counter() for rule in sorted(RULES)}
    for kind, uri in asked:
        if kind == "Person":
            gateway.token, gateway.answered = token, answered.uri
        found = await outcomes(program, packages, uri)
        assert found == expected(kind), (kind, uri)
        for rule, outcome in found.items():
            counts[rule][outcome] += 1
    total = sum(counts.values(), Counter[str]())
    said = ", ".join(f"{number} {outcome}" for outcome, number in sorted(total.items(), reverse=True))
    say(f"activitypub-testing: {len(RULES)} rules of an Organization (asked by anybody, then by a partner), a Group, a Person with a token")
    say(f"  of theirs: {said}")
    for count in sorted({tuple(sorted(count.items(), reverse=True)) for count in counts.values()}, reverse=True):
        rules = [rule for rule, of in counts.items() if tuple(sorted(of.items(), reverse=True)) == count]
        say(f"  {', '.join(f'{number} {outcome}' for outcome, number in count)}: {', '.join(rules)}")


async def test_the_command_says_that_what_is_no_actor_passes_nothing(gateway: Gateway, program: str, packages: Path) -> None:
    """So that an outcome above is not merely what it says of everything."""
    gateway.partner.documents["/people/empty"] = {"id": gateway.partner.uri("/people/empty"), "type": "Person", "followers": 7}
    found = await outcomes(program, packages, gateway.partner.uri("/people/empty"))
    assert {rule for rule, outcome in found.items() if outcome == "failed"} == {BOXES, FOLLOWERS}
