"""Shows that the examples of docs/members/client-api.md work as they stand there, against a real node, and what they do there."""

import json
import os
import re
import shlex
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message

import pytest

from tests.documents import ROOT, text_of

from .processes import Process, nodes

DOCUMENT = ROOT / "docs" / "members" / "client-api.md"
EXAMPLE = re.compile(r"^```sh\n# (\d{3})\n(curl .*?)```$", re.MULTILINE | re.DOTALL)


def curl(command: str) -> tuple[int, Message, str]:
    """What curl would do with a command line of the document: (status, headers, body)."""
    method, data, headers, url = "GET", None, {}, ""
    words = iter([os.path.expandvars(word) for word in shlex.split(command)[1:]])
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-d":
            data = next(words).encode()
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-i":
            pass  # shows the headers, which are looked at in any case
        else:
            assert not word.startswith("-"), f"curl knows {word}, this test does not"
            url = word
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read().decode()


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with nodes(tmp_path_factory.mktemp("client"), ["Meridian Outreach"]) as (made,):
        yield made


def test_every_example_of_the_document_does_what_it_says(node: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    made = node.json("token", "create", "ilse", "--scope", "read", "--scope", "write", "--days", "7", "--for", "the examples")
    group = node.json("group", "add", "leads", "--name", "Leads", "--label", "TLP:GREEN")["uri"]
    known = {"TOKEN": made["token"], "ME": made["actor"], "GROUP": group, "POST": ""}
    examples = EXAMPLE.findall(text_of(DOCUMENT))
    assert len(examples) == text_of(DOCUMENT).count("\ncurl ") == 9
    answers = []
    for expected, command in examples:
        for name, value in known.items():
            monkeypatch.setenv(name, value)
        status, headers, body = curl(command)
        assert status == int(expected), (command, body)
        answers.append((headers, body))
        if not known["POST"] and headers["Location"]:
            _, _, activity = curl(f"curl -H 'Authorization: Bearer {made['token']}' {headers['Location']}")
            known["POST"] = json.loads(activity)["object"]["id"]
    document = json.loads(answers[0][1])
    assert (document["inbox"], document["outbox"]) == (made["inbox"], made["outbox"])
    own = json.loads(answers[7][1])["orderedItems"]
    assert [one["type"] for one in own] == ["Delete", "Create"], "the answer stays when what it answered was deleted"
    assert own[1]["object"]["content"] == "<p>The same here.</p>"
    assert (answers[8][0]["WWW-Authenticate"], answers[8][0]["Content-Type"].split(";")[0]) == ("Bearer", "application/problem+json")


def test_tokens_are_listed_and_revoked_by_command_and_never_printed_again(node: Process) -> None:
    made = node.json("token", "create", "ilse", "--for", "an archive")
    inbox = f"curl -H 'Authorization: Bearer {made['token']}' {made['inbox']}"
    assert curl(inbox)[0] == 200
    listed = next(one for one in node.json("token", "list") if one["purpose"] == "an archive")
    assert (listed["username"], listed["scopes"], listed["used_at"] is not None) == ("ilse", ["read"], True)
    words = node.run("token", "list").stdout
    assert "an archive" in words
    assert made["token"] not in words
    node.run("token", "revoke", listed["id"])
    assert curl(inbox)[0] == 401
    refused = node.run("token", "revoke", listed["id"], check=False)
    assert (refused.returncode, "no such token" in refused.stderr) == (1, True)
    assert node.run("token", "create", "nobody", check=False).returncode == 1
