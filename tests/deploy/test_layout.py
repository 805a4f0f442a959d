"""Shows that everything on a machine lies under one root, where the plan says, and that a release is whole or not there."""

import os
from pathlib import Path

import pytest

from deploy._node import release, say
from deploy._node.layout import Machine
from deploy._node.say import Stop

PLAN = Path(__file__).parents[2] / "docs" / "admins" / "files.md"


def places(machine: Machine) -> dict[str, Path]:
    """All paths that the layout knows."""
    node = machine.node("NAME")
    found = {}
    for thing in (machine, node):
        for name in dir(type(thing)):
            if isinstance(getattr(type(thing), name), property) and isinstance(getattr(thing, name), Path):
                found[f"{type(thing).__name__}.{name}"] = getattr(thing, name)
    return found


def test_every_place_lies_under_the_root_that_was_given(tmp_path: Path) -> None:
    found = places(Machine(tmp_path))
    assert len(found) > 18
    assert [name for name, path in found.items() if not path.is_relative_to(tmp_path)] == []


def test_every_place_is_named_in_the_admins_list_of_files() -> None:
    listed = PLAN.read_text()
    assert [str(path) for path in places(Machine(Path("/"))).values() if str(path) not in listed] == []


def made(machine: Machine, version: str, *, whole: bool = True) -> None:
    place = machine.release(version) / "bin"
    place.mkdir(parents=True)
    if whole:
        (place / "fedcollab").touch()


def test_the_current_release_is_switched_and_one_that_is_not_there_is_not(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    made(machine, "1.0")
    made(machine, "1.1")
    made(machine, "1.2", whole=False)
    made(machine, "1.3.half")
    assert (release.installed(machine), release.current(machine)) == (["1.0", "1.1"], "")
    for version in ("1.0", "1.1"):
        release.switch(machine, version)
        assert release.current(machine) == version
        assert (machine.current / "bin" / "fedcollab").exists()
    for version in ("1.2", "1.3.half", "2.0"):
        with pytest.raises(Stop, match=r"There are: 1\.0, 1\.1"):
            release.switch(machine, version)
    assert release.current(machine) == "1.1"


def test_a_release_is_removed_but_not_the_one_that_runs(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    made(machine, "1.0")
    made(machine, "1.1")
    release.switch(machine, "1.1")
    release.remove(machine, "1.0")
    with pytest.raises(Stop, match=r"1\.1 is the release that runs"):
        release.remove(machine, "1.1")
    assert release.installed(machine) == ["1.1"]


def test_a_file_is_written_whole_with_its_rights_and_once(tmp_path: Path) -> None:
    path = tmp_path / "etc" / "key"
    assert say.write(path, "secret", 0o600)
    assert not say.write(path, "secret", 0o600)
    assert say.write(path, "other", 0o600)
    assert (path.read_text(), path.stat().st_mode & 0o777, [p.name for p in path.parent.iterdir()]) == ("other", 0o600, ["key"])


def test_two_at_once_wait_for_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(say, "PATIENCE", 0.1)
    with say.alone(Machine(tmp_path)), pytest.raises(Stop, match="is at work on this machine"), say.alone(Machine(tmp_path)):
        pass
    with say.alone(Machine(tmp_path)):
        assert len(say.HELD) == 1
    assert say.HELD == []


def test_what_was_started_holds_the_lock_after_its_starter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(say, "PATIENCE", 0.1)
    with say.alone(Machine(tmp_path)):
        child = say.run(["sh", "-c", "sleep 30 > /dev/null 2>&1 & echo $!"], "")
    try:
        with pytest.raises(Stop), say.alone(Machine(tmp_path)):
            pass
    finally:
        os.kill(int(child), 9)


def test_a_command_that_fails_says_the_end_of_what_it_said_and_what_to_do() -> None:
    with pytest.raises(Stop, match=r"(?s)  the disk is full\n.*Make room"):
        say.run(["sh", "-c", "echo the disk is full >&2; exit 3"], "Make room.")
