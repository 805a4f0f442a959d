"""Shows three nodes in a line: A and C meet in B's group alone. What B can make C believe of A, and what not, with real processes."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fedcollab.actors import keys
from fedcollab.base.clock import system_clock
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import proofs

from .databases import change, query
from .fronts import Fronted, fronted
from .processes import befriend, until

Urls = Callable[[int], list[str]]
NAMES = ["Alder", "Birch", "Cedar"]
Change = Callable[[dict[str, Any]], dict[str, Any]]


class Line:
    """A, B and C, a group of B that all are in, and its one conversation."""

    def __init__(self, a: Fronted, b: Fronted, c: Fronted) -> None:
        self.a, self.b, self.c = a, b, c
        befriend(b, a)
        befriend(b, c)
        self.group = b.json("group", "add", "leads", "--name", "Leads", "--label", "TLP:GREEN")["uri"]
        for node in (a, c):
            until("the group is known", lambda node=node: query(node, f"SELECT 1 FROM actor WHERE uri = '{self.group}'"))
        self.opener = b.json("post", "leads", "--as", "ilse", "--title", "Adverts", "--text", "What do you see?")["uri"]
        until("the opener is at A", lambda: self.text(a, self.opener))

    def text(self, node: Fronted, uri: str) -> str:
        """What a post says on a node, in its place in the conversation; empty where it is not there, or not confirmed."""
        rows = query(node, f"SELECT html FROM post WHERE uri = '{uri}' AND confirmed_at IS NOT NULL")
        return rows[0][0] if rows else ""

    def answer(self, text: str) -> str:
        """An answer from A; B has it when this returns."""
        uri = self.a.json("post", self.group, "--as", "ilse", "--reply-to", self.opener, "--text", text)["uri"]
        until("the answer is at B", lambda: self.text(self.b, uri))
        return str(uri)

    def altered(self, text: str, alter: Change) -> tuple[str, str]:
        """An answer from A that B alters before it passes it on; answers its id and what became of B's Announce at C."""
        self.c.front.closed = True
        before = self.c.front.in_vain  # B may come before its Announce is altered: that was with what it read then, too
        uri = self.answer(text)
        [(row, body)] = query(self.b, f"SELECT id, body FROM activity WHERE body LIKE '%\"Announce\"%{uri}%'")
        announce = json.loads(body)
        changed = alter(copy.deepcopy(announce))
        assert changed != announce
        self.rewrite(row, changed)
        until("B has come in vain", lambda: self.c.front.in_vain > before)  # what it had read is spent; next time it reads anew
        self.c.front.closed = False
        wanted = f"SELECT state, reason FROM inbox_item WHERE uri = '{announce['id']}' AND state <> 'waiting'"
        [(state, reason)] = until("C has judged it", lambda: query(self.c, wanted), 40)
        return uri, f"{state}: {reason}" if reason else state

    def rewrite(self, row: str, announce: dict[str, Any]) -> None:
        """B is its own master: it signs what it sends, whatever that says. It leaves out its own proof, which nobody asks for."""
        sent = {name: value for name, value in announce.items() if name != "proof"}
        text = json.dumps(sent, ensure_ascii=False).replace("'", "''")
        change(self.b, f"UPDATE activity SET body = '{text}' WHERE id = '{row}'")

    def known_keys(self) -> list[tuple[Any, ...]]:
        """The keys that C holds of A's people and organisation."""
        mine = f"SELECT k.uri, k.public FROM actor_key k JOIN actor a ON a.id = k.actor_id WHERE a.uri LIKE '{self.a.url}/%' ORDER BY k.uri"
        return query(self.c, mine)


def other_words(announce: dict[str, Any]) -> dict[str, Any]:
    announce["object"]["object"]["content"] = "<p>Altered by Birch.</p>"
    return announce


def other_keys(announce: dict[str, Any]) -> dict[str, Any]:
    """B makes A's organisation and author anew, with keys of its own making, and says in their name what it likes."""
    return forged(announce, {})


def nobody_known(announce: dict[str, Any]) -> dict[str, Any]:
    """The same for an organisation of which C has never heard."""
    author = announce["object"]["actor"]
    here = author.split("/people/")[0]
    return forged(announce, {here: "http://127.0.0.1:9"})


def forged(announce: dict[str, Any], moved: dict[str, str]) -> dict[str, Any]:
    text = json.dumps(announce)
    for old, new in moved.items():
        text = text.replace(old, new)
    made: dict[str, Any] = json.loads(text)
    made |= {name: announce[name] for name in ("id", "actor", "audience", "to")}
    create, documents = made["object"], {document["type"]: document for document in made[ap.INTRODUCES]}
    signers = {}
    for kind in ("Organization", "Person"):
        [method] = documents[kind]["assertionMethod"]
        key = Ed25519PrivateKey.generate()
        method["publicKeyMultibase"] = keys.multibase(key.public_key().public_bytes_raw())
        signers[kind] = keys.Signer(method["id"], keys.ED25519, key)
    create["object"]["content"] = "<p>Forged by Birch.</p>"
    proved = [(documents["Organization"], "Organization"), (documents["Person"], "Organization"), (create, "Person")]
    fresh = [proofs.prove({k: v for k, v in part.items() if k != "proof"}, signers[by], system_clock()) for part, by in proved]
    return made | {"object": fresh[2], ap.INTRODUCES: fresh[:2]}


@pytest.mark.timeout(600)
@pytest.mark.rule("ORG-02")
@pytest.mark.sampled
def test_an_answer_comes_from_one_end_of_a_line_to_the_other_and_the_middle_alters_nothing_unseen(tmp_path: Path, urls: Urls) -> None:
    with fronted(tmp_path, NAMES, urls(3)) as (a, b, c):
        line = Line(a, b, c)
        first = line.answer("Said at one end.")
        assert until("it is read at the other end", lambda: line.text(c, first)) == "<p>Said at one end.</p>"
        how = "SELECT a.known, t.uri FROM post p JOIN actor a ON a.id = p.author_id JOIN actor t ON t.id = a.through_id"
        assert query(c, f"{how} WHERE p.uri = '{first}'") == [("introduced", b.url + "/actor")]
        pinned = line.known_keys()
        assert len(pinned) == 4, "two of its organisation, two of its author"

        refused = "refused: the announced activity is not proved by its author's key"
        for alter in (other_words, other_keys):
            uri, fate = line.altered("Said again.", alter)
            assert (fate, line.text(c, uri)) == (refused, ""), alter.__name__
            assert line.known_keys() == pinned
        second = line.answer("Said at last.")
        assert until("the next good one is there", lambda: line.text(c, second)) == "<p>Said at last.</p>"

        _, fate = line.altered("Said for nobody.", nobody_known)
        assert fate == "done", "at a first introduction the host is believed, as FEDERATION.md says"
        known = query(c, how.replace("a.known", "p.html, a.known") + " WHERE a.uri LIKE 'http://127.0.0.1:9/%'")
        assert known == [("<p>Forged by Birch.</p>", "introduced", b.url + "/actor")], "shown as through the host that introduced it"

        assert a.front.askers() == {b.url}
        assert c.front.askers() == {b.url}
        assert b.front.askers() == {a.url, c.url}
        for node in (a, b, c):
            assert node.stop() == 0
