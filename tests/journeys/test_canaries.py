"""What looks for canaries finds them, however they were written down, and what puts them into entries leaves out no kind and no field."""

import base64
import json
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import pytest

from fedcollab.features.cases.kinds import ALL, document, parse

from .canaries import Canary, filled, found, unfilled

AT = 1_790_000_000_000_000


@pytest.mark.rule("P4", "P14")
@pytest.mark.parametrize("kind", ALL)
def test_every_kind_of_entry_has_the_canary_in_each_field_of_words(kind: Any) -> None:
    canary = Canary()
    made = filled(kind, canary, AT)
    assert unfilled(kind, made, canary) == []
    assert [parse(document(one)) for one in made] == made


WAYS = {
    "utf-8": lambda word, _: word.encode(),
    "utf-16-le": lambda word, _: word.encode("utf-16-le"),
    "utf-16-be": lambda word, _: word.encode("utf-16-be"),
    "json": lambda word, _: json.dumps(word).encode(),
    "all escaped": lambda word, _: "".join(f"\\u{ord(letter):04X}" for letter in word).encode(),
    "percent": lambda word, _: quote_from_bytes(word.encode()).encode(),
    "all percent": lambda word, _: "".join(f"%{byte:02X}" for byte in word.encode()).encode(),
    "hex": lambda word, _: word.encode().hex().encode(),
    "capitals": lambda word, _: word.encode().hex().upper().encode(),
    "base64": lambda word, before: base64.b64encode(before + word.encode() + b"..."),
    "base64url": lambda word, before: base64.urlsafe_b64encode(before + word.encode("utf-16-le")),
    "a part": lambda word, _: word.split("ö")[1].encode(),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_canary_is_found_however_it_is_written(way: str, tmp_path: Path) -> None:
    for before in range(3):
        canary, path = Canary(), tmp_path / str(before)
        path.write_bytes(secrets.token_bytes(500) + WAYS[way](canary.word, b"abc"[:before]) + secrets.token_bytes(500))
        assert len(found([tmp_path], canary.needles())) == 1
        assert found([tmp_path], Canary().needles()) == []


def test_a_canary_in_the_name_of_a_file_is_found(tmp_path: Path) -> None:
    canary = Canary()
    (tmp_path / canary.one).mkdir()
    assert len(found([tmp_path], canary.needles())) == 1
