"""A case taken along as a signed file, and checked without a node: what may be read alone goes out, and what is changed in it is seen."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from fedcollab.base.canonical import canonical
from fedcollab.cli import app
from fedcollab.features.cases.mending import Masking
from fedcollab.features.cases.people import Health
from fedcollab.sealing import holding
from fedcollab.sealing.room_models import SealedFile
from tests.features.cases.desks import Office
from tests.features.cases.shared import Shared, shared
from tests.features.cases.test_access_pages import GROUND
from tests.nodes import until
from tests.web import forget_asking

Lines = list[dict[str, Any]]
SAFE, STATION = "She is safe.", "She called from the station."


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Shared]:
    async with shared(tmp_path) as made:
        await made.one.say("noor", made.case, SAFE)
        await made.other.say("noor", made.there, STATION)
        await until("it has come", lambda: made.one.sql("SELECT 1 FROM sealed_message WHERE organisation = :at", at=made.other.me))
        await made.tell()
        yield made


async def taken(at: Office, name: str, case: str) -> bytes:
    status, headers, body = await at[name].ask("POST", f"/cases/{case}/export", {"token": await at[name].token(f"/cases/{case}/export")})
    assert (status, headers["Cache-Control"]) == (200, "no-store")
    assert headers["Content-Disposition"] == 'attachment; filename="case.jsonl"'
    return body.encode()


def lines(bundle: bytes) -> Lines:
    return [json.loads(one) for one in bundle.splitlines()]


def contents(bundle: bytes) -> list[str]:
    said = [one["is"] for one in lines(bundle) if one["kind"] == "message"]
    return [one["content"].get("text", "") for one in said if "content" in one]


def run(tmp_path: Path, bundle: bytes, *more: str) -> tuple[int, str]:
    """What the command says, far from any node."""
    file = tmp_path / "case.jsonl"
    file.write_bytes(bundle)
    result = CliRunner().invoke(app, ["verify", str(file), *more])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout


@pytest.mark.rule("P9", "P2")
async def test_a_case_is_taken_along_on_record_and_checked_without_a_node(two: Shared, tmp_path: Path) -> None:
    bundle = await taken(two.one, "noor", two.case)
    assert {SAFE, STATION} <= set(contents(bundle))
    (share,) = [one["is"]["content"] for one in kinds(lines(bundle), "message") if one["is"].get("content", {}).get("kind") == "share"]
    assert (share["to"], share["what"], share["why"]) == (two.other.me, GROUND["what"], GROUND["why"])
    assert (await two.one.sql("SELECT count(*) FROM room_entry WHERE action = 'case.export'")) == [(1,)]
    code, said = run(tmp_path, bundle)
    assert code == 0, said
    assert "All that is in the file holds." in said
    assert f"1 entries were written by Noor ({two.other.me.removesuffix('/actor')}/people/" in said
    assert f"{two.other.me} has countersigned this record up to entry" in said
    assert f"the file as a whole was signed by {two.one.me}" in said
    assert "None" not in said
    code, said = run(tmp_path, bundle, "--json")
    found = json.loads(said)
    assert (code, found["holds"], found["wrong"], found["stated"]) == (0, True, [], 0)
    assert found["record"]["countersigned"].keys() == {two.other.me}
    assert found["entries"] == 4  # opened, the share, two messages


@pytest.mark.rule("P9", "P23", "P5")
async def test_what_is_hidden_marked_or_not_for_its_maker_is_left_out(two: Shared, tmp_path: Path) -> None:
    at, case = two.one, two.case
    now = at.site.kernel.node.now()
    hidden = await at.say("noor", case, "A canary that is masked")
    await at.say("noor", case, Masking(at=now, of=(hidden,)))
    await at.say("noor", case, Health(at=now, person="bafuko-tezara", urgent="A canary of health"))
    marked = await at.say("noor", case, "A canary beside a file")
    (row,) = await at.sql("SELECT id, room_id FROM sealed_message WHERE uri = :uri", uri=marked)
    file = dict(id="f", uri=marked + "/file", room_id=row[1], message_id=row[0], size=1, key="", state="gone", at=1, marked_at=1)
    await at.site.write(lambda session, _node: session.execute(sa.insert(SealedFile).values(**file)) and None)
    await at.unlocked("noor", holding.assign, case, at["daan"].viewer.person_id)
    bundle = await taken(at, "daan", case)
    assert SAFE in contents(bundle)
    assert b"canary" not in bundle
    code, said = run(tmp_path, bundle)
    assert code == 0, said
    for why in ("hidden by those on the case", "not for whoever made the file", "a file that may show the abuse of a child"):
        assert why in said


@pytest.mark.rule("P9", "P5")
async def test_who_is_not_on_it_takes_nothing_along_and_whoever_is_is_asked_for_their_password_again(two: Shared) -> None:
    at, case = two.one, two.case
    token = await at["ruth"].token("/settings")
    assert (await at["ruth"].ask("POST", f"/cases/{case}/export", {"token": token}))[0] == 404
    token = await at["noor"].token(f"/cases/{case}/export")
    await forget_asking(at.site)
    status, headers, _ = await at["noor"].ask("POST", f"/cases/{case}/export", {"token": token})
    assert (status, headers["Location"].split("?")[0]) == (307, "/again")
    assert await at.sql("SELECT count(*) FROM room_entry WHERE action = 'case.export'") == [(0,)]


def kinds(found: Lines, kind: str) -> Lines:
    return [one for one in found if one["kind"] == kind]


def changed_text(found: Lines) -> None:
    next(one for one in kinds(found, "message") if one["is"].get("content", {}).get("text") == SAFE)["is"]["content"]["text"] = "No."


def other_author(found: Lines) -> None:
    one, other = (next(m for m in kinds(found, "message") if m["is"].get("content", {}).get("text") == text) for text in (SAFE, STATION))
    one["is"]["head"]["from"] = other["is"]["head"]["from"]


def other_room(found: Lines) -> None:
    kinds(found, "message")[0]["is"]["head"]["room"] += "x"


def twice(found: Lines) -> None:
    found.insert(found.index(kinds(found, "message")[0]), kinds(found, "message")[0])


def changed_entry(found: Lines) -> None:
    kinds(found, "entry")[2]["is"]["action"] = "room.send"


def cut_entry(found: Lines) -> None:
    found.remove(kinds(found, "entry")[2])


def cut_last_entries(found: Lines) -> None:
    for one in kinds(found, "entry")[4:]:
        found.remove(one)


def moved_entries(found: Lines) -> None:
    at = found.index(kinds(found, "entry")[1])
    found[at], found[at + 1] = found[at + 1], found[at]


def cut_message(found: Lines) -> None:
    found.remove(kinds(found, "message")[0])


def cut_end(found: Lines) -> None:
    found.pop()


def list_of_another(found: Lines) -> None:
    kinds(found, "case-key")[0]["is"]["document"]["epoch"] += 1


def forged_countersignature(found: Lines) -> None:
    kinds(found, "countersigned")[0]["is"]["seq"] += 1


def forged_head(found: Lines) -> None:
    kinds(found, "head")[0]["is"]["hash"] = kinds(found, "head")[-1]["is"]["hash"]


def other_key(found: Lines) -> None:
    one, other = (row["is"] for row in kinds(found, "person"))
    one["keys"] = other["keys"]


def other_name(found: Lines) -> None:
    found[0]["is"]["label"] = "TLP:CLEAR"


CHANGES: list[Callable[[Lines], None]] = [
    changed_text,
    other_author,
    other_room,
    twice,
    changed_entry,
    cut_entry,
    cut_last_entries,
    moved_entries,
    cut_message,
    cut_end,
    list_of_another,
    forged_countersignature,
    forged_head,
    other_key,
    other_name,
]


@pytest.mark.rule("P9", "AUTH-10")
async def test_whatever_is_changed_in_it_is_seen(two: Shared, tmp_path: Path) -> None:
    bundle = await taken(two.one, "noor", two.case)
    for change in CHANGES:
        found = lines(bundle)
        change(found)
        made = b"".join(canonical(one) + b"\n" for one in found)
        assert made != bundle
        code, said = run(tmp_path, made)
        assert (code, "DO NOT" in said.upper()) == (1, True), (change.__name__, said)
    assert run(tmp_path, bundle)[0] == 0


BROKEN: list[Callable[[bytes], bytes]] = [
    lambda _bundle: b"",
    lambda _bundle: b"{}\n",
    lambda _bundle: b"PK\3\4" * 1000,
    lambda bundle: bundle[:-1],
    lambda bundle: bundle[1:],
    lambda bundle: bundle.replace(b'"v":1', b'"v":2', 1) if b'"v":1' in bundle.splitlines()[0] else b"",
    lambda bundle: bundle + bundle.splitlines(keepends=True)[-1],
    lambda bundle: bundle + b"\n",
    lambda bundle: b"".join(reversed(bundle.splitlines(keepends=True))),
    lambda bundle: bundle.replace(b'{"is":', b'{ "is":', 1),
    lambda bundle: b'{"is":"' + b"x" * 2_000_000 + b'","kind":"case"}\n' + bundle,
    lambda bundle: b"[" * 100_000 + bundle,
    lambda bundle: bundle.replace(b'"kind":"end"', b'"kind":"../../etc/passwd"'),
]


async def test_what_is_no_such_file_is_said_to_be_none(two: Shared, tmp_path: Path) -> None:
    bundle = await taken(two.one, "noor", two.case)
    for number, breaks in enumerate(BROKEN):
        code, said = run(tmp_path, breaks(bundle))
        assert (code, "no case in a file" in said) == (2, True), (number, said)
    assert CliRunner().invoke(app, ["verify", str(tmp_path / "none")]).exit_code == 2


@pytest.mark.timeout(300)
async def test_no_line_that_somebody_makes_up_ends_the_check_unread(two: Shared, tmp_path: Path) -> None:
    whole_text = await taken(two.one, "noor", two.case)
    bundle = lines(whole_text)
    values: list[Any] = [None, 1, "x", [], {}, [[]], {"id": []}, "\u202e\x1b[31m", 2**53 - 1, True]

    def spoilt(at: int, value: Any) -> Lines:
        return [*bundle[:at], {"kind": bundle[at]["kind"], "is": value}, *bundle[at + 1 :]]

    seen = {one["kind"]: at for at, one in enumerate(bundle)}
    for kind, at in seen.items():
        whole = bundle[at]["is"]
        made = [spoilt(at, value) for value in values] + [spoilt(at, whole | {name: value}) for name in whole for value in values]
        for text in {b"".join(canonical(one) + b"\n" for one in found) for found in made} - {whole_text}:
            code, said = run(tmp_path, text)
            assert code in (1, 2), (kind, said)
            assert "\x1b" not in said
            assert "\u202e" not in said
