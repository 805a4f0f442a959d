"""Makes activities that are almost right: good ones with something changed, and ones put together of odd values."""

import copy
import json
import random
from typing import Any

from fedcollab.base.clock import new_id
from fedcollab.federation import activitystreams as ap
from tests.hostile import PAYLOADS
from tests.nodes import Rogue

ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5e308,
    2**53 - 1,
    "",
    " ",
    "\u202e\u2066",
    "\ufeff",
    "\U0001f469\u200d\U0001f469",
    "e" + "\u0301" * 200,
    "\x7f\x80\x9f",
    "a" * 3000,
    "\u00e9" * 1999,
    [],
    {},
    [[]],
    [None],
    [{}],
    {"id": []},
    {"id": {"id": "x"}},
    {"type": []},
    {"@value": "x"},
    "0000-00-00T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2024-02-30T25:61:61+99:99",
    "-0001-01-01T00:00:00Z",
    "http://[",
    "https://",
    "//x",
    "%00",
    "javascript:alert(1)",
    *PAYLOADS[:12],
]
FIELDS = [
    "id type actor object to cc bto bcc audience content contentMap summary summaryMap name nameMap source mediaType published updated",
    "attributedTo context inReplyTo url tag attachment replies likes sensitive language startTime oneOf fc:label fc:members fc:people",
    "fc:history fc:introduces fc:organisation fc:protocol proof endpoints inbox publicKey assertionMethod preferredUsername @context",
]
NAMES = " ".join(FIELDS).split(" ")
KINDS = ["Create", "Update", "Delete", "Follow", "Undo", "Accept", "Reject", "Announce", "Like", "Add", "Remove", "Flag", "Block", "Lock"]
OBJECTS = ["Note", "Article", "Page", "Question", "Event", "Group", "Person", "Organization", "Tombstone", "Create", "Follow", "Collection"]


def odd(chance: random.Random) -> Any:
    """One of its own, for what is changed later must not change the others."""
    return copy.deepcopy(chance.choice(ODD))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values within a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, below in inner for found in [(*path, key), *places(below, (*path, key))]]


def mutated(document: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """A copy with one to three values changed, dropped, doubled, put elsewhere or given another name."""
    made: dict[str, Any] = json.loads(json.dumps(document))
    for _ in range(chance.randint(1, 3)):
        path = chance.choice(places(made) or [("x",)])
        at: Any = made
        for key in path[:-1]:
            at = at[key]
        act = chance.randrange(6)
        if act == 0 and isinstance(at, dict):
            at.pop(path[-1], None)
        elif act == 1 and isinstance(at, dict):
            at[chance.choice(NAMES)] = at.get(path[-1])
        elif act == 2 and isinstance(at, dict):
            at[path[-1]] = [at.get(path[-1]), odd(chance)]
        elif act == 3 and isinstance(at, dict) and isinstance(at.get(path[-1]), str):
            at[path[-1]] = bent(at[path[-1]], chance)
        else:
            at[path[-1]] = odd(chance)
    return made


def bent(text: str, chance: random.Random) -> str:
    """A text with some letters changed, cut, or repeated."""
    place = chance.randrange(len(text) + 1)
    middle = chance.choice(["", "\0", "\ud7ff", "\uffff", "/", "..", "#", "?x=1", "%", "\u00a0", chr(chance.randrange(32, 0xD7FF)), text])
    return text[:place] + middle + text[place + chance.randrange(3) :]


def structured(p: Rogue, group: str, chance: random.Random) -> dict[str, Any]:
    """An activity of known types with fields at random, whose values are ids of things that are there, of things that are not, or odd."""
    ids = [p.uri("/people/sokha"), p.uri("/actor"), group, group + "/followers", ap.PUBLIC, *p.documents, p.uri(f"/posts/{new_id()}")]

    def value(depth: int) -> Any:
        pick = chance.randrange(8)
        if pick < 3:
            return chance.choice(ids)
        if pick == 3 and depth < 4:
            return thing(depth + 1)
        if pick == 4 and depth < 4:
            return [value(depth + 1) for _ in range(chance.randrange(4))]
        return odd(chance)

    def thing(depth: int) -> dict[str, Any]:
        made = {name: value(depth) for name in chance.sample(NAMES, chance.randrange(2, 9))}
        return made | {"id": p.uri(f"/posts/{new_id()}"), "type": chance.choice(OBJECTS), "attributedTo": p.uri("/people/sokha")}

    fixed = {"@context": ap.CONTEXT, "id": p.uri(f"/activities/{new_id()}"), "type": chance.choice(KINDS), "actor": p.uri("/people/sokha")}
    rest = {name: value(0) for name in chance.sample(NAMES, chance.randrange(6))}
    return rest | fixed | {"object": thing(1) if chance.random() < 0.8 else value(0)} | ({"to": [group]} if chance.random() < 0.7 else {})
