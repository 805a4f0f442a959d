"""Shows that a node whose user somebody has taken over gets nothing of root by what it puts into its own directories."""

import argparse
import os
import pwd
from pathlib import Path

import pytest

from deploy._node import answers as asked
from deploy._node import journal, moving, release, say, services, steps, undo
from deploy._node.answers import Answers
from deploy._node.journal import START, Journal
from deploy._node.layout import Machine, Node
from deploy._node.say import Stop, read_theirs, write

ME = pwd.getpwuid(os.geteuid()).pw_name
SECRET = "root:$y$j9T$secret:19000:0:99999:7:::\n"
TOML = 'name = "Meridian"\nbase_url = "https://node.example.org"\nlisten = "127.0.0.1:8000"\nbackup_to = "/var/backups/x"\n'
ANSWERS = Answers("meridian", "Meridian", "node.example.org", "ilse", "/var/backups/x", 8000, "", "none", "public")


@pytest.fixture
def shadow(tmp_path: Path) -> Path:
    """A file that root alone may read."""
    place = tmp_path / "shadow"
    place.write_text(SECRET)
    place.chmod(0o600)
    return place


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine whose one node's user is the one who runs this; nothing is started."""
    monkeypatch.setattr(Node, "user", property(lambda _self: ME))
    for name in ("reload_units", "restart"):
        monkeypatch.setattr(services, name, lambda *_: None)
    made = Machine(tmp_path / "root")
    made.node("meridian").data.mkdir(parents=True, mode=0o700)
    made.node("meridian").settings.write_text(TOML)
    asked.keep(made.node("meridian"), ANSWERS)
    return made


def plant(path: Path, how: str, shadow: Path) -> None:
    path.unlink(missing_ok=True)
    {"link": lambda: path.symlink_to(shadow), "second name": lambda: path.hardlink_to(shadow), "pipe": lambda: os.mkfifo(path)}[how]()


@pytest.mark.timeout(20)
@pytest.mark.parametrize("how", ["link", "second name", "pipe"])
def test_settings_that_lead_elsewhere_are_not_read_for_the_node(machine: Machine, shadow: Path, tmp_path: Path, how: str) -> None:
    node, to = machine.node("meridian"), tmp_path / "disk"
    said = argparse.Namespace(node=None, domain=None, backups=str(to))
    plant(node.settings, how, shadow)
    with pytest.raises(Stop, match="no plain file"):
        moving.backups(machine, [ANSWERS], said)
    with pytest.raises(Stop, match="no plain file"):
        steps.listens(node)
    assert shadow.read_text() == SECRET
    assert not to.exists()
    assert SECRET not in "".join(path.read_text() for path in node.data.iterdir() if path.is_file() and how == "pipe")
    node.settings.unlink()
    node.settings.write_text(TOML)
    moving.backups(machine, [ANSWERS], said)
    assert f'backup_to = "{to}"' in node.settings.read_text()
    assert steps.listens(node) == ("node.example.org", 8000)


def test_what_is_given_to_a_nodes_user_is_given_by_what_is_open_and_not_by_its_name(
    machine: Machine, shadow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = machine.node("meridian").settings
    half = settings.with_name("node.toml.half")
    half.symlink_to(shadow)

    def by_name(path: object, *_: object, **__: object) -> None:
        raise AssertionError(path)

    for name in ("chown", "chmod", "lchown"):
        monkeypatch.setattr(os, name, by_name)
    assert write(settings, "new", 0o600, ME)
    assert write(settings, "new", 0o600, ME), "one that reads the same may be a link to something that does"
    assert (settings.read_text(), settings.stat().st_mode & 0o777, shadow.read_text()) == ("new", 0o600, SECRET)


@pytest.mark.parametrize("where", ["at a new name", "at what is there"])
def test_a_way_back_writes_through_no_link_of_the_nodes_user(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    place = machine.upgrade / "meridian"
    place.mkdir(parents=True)
    target, run = tmp_path / "cron", list[tuple[str, ...]]()
    if where == "at what is there":
        target.write_text("kept")

    def of_node(_machine: Machine, _node: Node, *command: str, version: str = "") -> str:
        run.append(command)
        if command[1] == "step":
            return '{"at": "0002", "needed": "0002"}'
        if command[1] == "erased":  # that is when the node's user acts
            (place / "erased.json.half").symlink_to(target)
            (place / "erased.json").symlink_to(target)
        return '{"posts": []}'

    for module in (undo, steps):
        monkeypatch.setattr(module, "of_node", of_node)
    (place / "before").write_text("the database as it was")
    one = Journal("1.0", "1.1", START, ["meridian"], ["meridian"])
    undo._bring_back(machine, one, "meridian")
    assert (target.read_text() if target.exists() else "kept") == "kept"
    assert target.exists() == (where == "at what is there")
    assert (place / "erased.json").read_text() == '{"posts": []}'
    assert run[-1] == ("database", "load", str(place / "before"), "--served", "--erased", str(place / "erased.json"))


@pytest.mark.parametrize("how", ["link", "file"])
def test_a_place_for_backups_that_is_a_link_is_given_to_nobody(machine: Machine, tmp_path: Path, how: str) -> None:
    other, place = tmp_path / "crontabs", tmp_path / "disk"
    other.mkdir(mode=0o755)
    place.symlink_to(other) if how == "link" else place.write_text("a file")
    before = other.stat()
    with pytest.raises(Stop, match="a link or no directory"):
        steps._own(machine, machine.node("meridian"), place)
    assert (other.stat().st_mode, other.stat().st_uid) == (before.st_mode, before.st_uid)
    place.unlink()
    steps._own(machine, machine.node("meridian"), place)
    assert place.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("text", ["", "name = 1\n", "Grüße\n"])
def test_a_plain_file_is_read_as_it_is(tmp_path: Path, text: str) -> None:
    (tmp_path / "file").write_text(text, "utf-8")
    assert read_theirs(tmp_path / "file") == text


@pytest.mark.rule("P11")
def test_there_is_no_way_back_where_the_copy_has_gone_by_its_age(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    went = list[str]()
    monkeypatch.setattr(undo.release, "current", lambda _machine: "1.1")
    monkeypatch.setattr(undo, "go_back", lambda _machine, one: went.append(one.old))
    place = journal.copies(machine, machine.node("meridian"))
    place.mkdir(parents=True)
    journal.keep(machine, Journal("1.0", "1.1", journal.DONE, ["meridian"], ["meridian"]))
    with pytest.raises(Stop, match="two weeks and is gone: meridian"):
        undo._by_hand(machine, sure=True)
    (place / "before").touch()
    undo._by_hand(machine, sure=True)
    assert went == ["1.0"]


@pytest.mark.timeout(120)
def test_a_release_is_built_with_nothing_that_lies_where_root_happens_to_stand(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stands = machine.node("meridian").data
    for name in ("venv", "ensurepip", "pip", "compileall", "tempfile", "runpy"):
        (stands / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write(__name__)\n")
    monkeypatch.chdir(stands)
    monkeypatch.setenv("PYTHONPATH", str(stands))
    asked = list[list[str | Path]]()

    def run(command: list[str | Path], otherwise: str, **more: object) -> str:
        if "pip" not in command:  # nothing is fetched here
            return say.run(command, otherwise)
        asked.append(command)
        folder = command[command.index("--wheel-dir") + 1] if "wheel" in command else None
        if folder:
            (Path(folder) / "fedcollab-1.whl").touch()
        else:
            (Path(command[0]).parent / "fedcollab").touch()
        return ""

    monkeypatch.setattr(release, "run", run)
    made = release.build(machine)
    assert (made / "bin" / "fedcollab").exists()
    assert not (tmp_path / "ran").exists()
    assert [command[1] for command in asked] == ["-I", "-I"]
