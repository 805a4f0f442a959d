"""Shows that no node stays stopped or loses anything by the way back: whatever failed, whoever pressed Ctrl-C, wherever it was killed."""

import importlib.machinery
import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from deploy._node import journal, release, say, services, steps, undo, upgrade
from deploy._node.journal import Journal
from deploy._node.layout import Machine
from deploy._node.say import Stop

ROOT = Path(__file__).parents[2]
OLD, NEW = "1.0", "2.0"


class Played(Machine):
    """A machine of two nodes in a folder; what it is told stands in `done`."""

    done: list[str]
    at: dict[str, str]
    trouble: dict[str, BaseException]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Played:
    made = Played(tmp_path)
    object.__setattr__(made, "done", [])
    object.__setattr__(made, "at", {"harbour": "2", "meridian": "2"})
    object.__setattr__(made, "trouble", {})
    for version in (OLD, NEW):
        (made.release(version) / "bin").mkdir(parents=True)
        (made.release(version) / "bin" / "fedcollab").touch()
    release.switch(made, NEW)
    for name in made.at:
        made.node(name).data.mkdir(parents=True)
        made.node(name).settings.touch()
        journal.copies(made, made.node(name)).mkdir(parents=True)
        (journal.copies(made, made.node(name)) / "before").touch()

    def told(words: str, answer: str = "") -> str:
        made.done.append(words)
        if words in made.trouble:
            raise made.trouble[words]
        return answer

    def of_node(_machine: Machine, node: object, *command: str, version: str = "") -> str:
        name = node.name  # type: ignore[attr-defined]
        if command[1] == "step":
            return json.dumps({"at": made.at[name], "needed": version[0]})
        answer = told(f"{name} {command[1]} {version}", "{}")
        if command[1] == "save":
            Path(command[2]).touch()
        if command[1] == "load":
            made.at[name] = "1"
        return answer

    def name_of(unit: str) -> str:
        return unit.partition("@")[2].partition(".")[0]

    monkeypatch.setattr(undo, "of_node", of_node)
    monkeypatch.setattr(steps, "of_node", of_node)
    monkeypatch.setattr(services, "stop", lambda unit: told(f"{name_of(unit)} stop"))
    monkeypatch.setattr(services, "start", lambda unit: told(f"{name_of(unit)} start"))
    monkeypatch.setattr(services, "is_active", lambda _unit: True)
    monkeypatch.setattr(steps, "commands_and_units", lambda _machine, _deploy: None)
    monkeypatch.setattr(undo, "write", lambda path, text, _mode, _owner: path.write_text(text))
    return made


def one(step: str) -> Journal:
    return Journal(OLD, NEW, step, ["harbour", "meridian"], ["harbour", "meridian"])


def starts(machine: Played) -> list[str]:
    return [words for words in machine.done if words.endswith("start")]


def test_where_the_first_node_does_not_start_the_second_does_and_both_reasons_are_said(machine: Played) -> None:
    machine.trouble["harbour start"] = Stop("harbour does not start")
    with pytest.raises(Stop, match="harbour does not start"):
        undo.go_back(machine, one(journal.MIGRATE))
    assert starts(machine) == ["harbour start", "meridian start"]
    with pytest.raises(Stop, match=r"(?s)the disk is full.*way back to 1.0 has not come to its end.*harbour does not start.*--recover"):
        upgrade._go_back(machine, one(journal.MIGRATE), "the disk is full")


def test_once_nodes_may_have_been_started_again_no_copy_is_put_over_what_they_write(machine: Played) -> None:
    machine.trouble["harbour start"] = Stop("harbour does not start")
    with pytest.raises(Stop):
        undo.go_back(machine, one(journal.MIGRATE))
    assert machine.done.count("meridian load 1.0") == 1
    del machine.trouble["harbour start"]
    undo.recover(machine)
    assert machine.done.count("meridian load 1.0") == 1
    assert starts(machine)[-2:] == ["harbour start", "meridian start"]
    kept = journal.read(machine)
    assert kept is not None
    assert kept.step == journal.BACK
    assert not journal.under_way(machine).exists()


def test_an_upgrade_that_was_killed_when_its_nodes_answered_stays_and_keeps_what_was_written_since(
    machine: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(steps, "wait_for", lambda _machine, names, version: asked.append((*names, version)))
    machine.node("harbour").closed.touch()
    journal.keep(machine, one(journal.START))
    undo.recover(machine)
    assert machine.done == ["harbour start", "meridian start"]
    assert asked == [("meridian", NEW)], "one that was closed meanwhile answers nobody"
    kept = journal.read(machine)
    assert kept is not None
    assert kept.step == journal.DONE


@pytest.mark.parametrize("step", [journal.START, journal.LOOK])
def test_one_whose_nodes_do_not_answer_and_one_that_was_being_undone_go_back(
    machine: Played, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def silent(*_words: object) -> None:
        raise Stop("meridian does not answer")

    monkeypatch.setattr(steps, "wait_for", silent)
    journal.keep(machine, one(step))
    undo.recover(machine)
    assert release.current(machine) == OLD
    release.switch(machine, NEW)
    monkeypatch.setattr(steps, "wait_for", lambda *_words: None)
    begun = one(step)
    begun.going_back = True
    journal.keep(machine, begun)
    undo.recover(machine)
    assert release.current(machine) == OLD


@pytest.mark.parametrize("killed", ["harbour erased 2.0", "harbour save 2.0", "harbour load 1.0", "meridian load 1.0"])
def test_a_way_back_that_is_killed_and_done_again_keeps_the_newer_database_as_such(machine: Played, killed: str) -> None:
    begun = one(journal.LOOK)
    begun.going_back = True
    journal.keep(machine, begun)
    machine.trouble[killed] = SystemExit()
    with pytest.raises(SystemExit):
        undo.recover(machine)
    first = len(machine.done)
    machine.trouble.clear()
    undo.recover(machine)
    for name in ("harbour", "meridian"):
        saved = [at for at, words in enumerate(machine.done) if words == f"{name} save 2.0"]
        loaded = [at for at, words in enumerate(machine.done) if words == f"{name} load 1.0"]
        assert saved[-1] < loaded[0] or (loaded[0] == first - 1 and saved[-1] < first)
        assert (journal.copies(machine, machine.node(name)) / "erased.json").read_text() == "{}"


def test_what_was_taken_away_is_asked_for_since_the_copy_was_made(machine: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def of_node(_machine: Machine, _node: object, *words: str, version: str = "") -> str:
        asked.append(words)
        return "{}"

    monkeypatch.setattr(undo, "of_node", of_node)
    copy = journal.copies(machine, machine.node("meridian")) / "before"
    old = copy.stat().st_mtime - 90 * 86_400
    os.utime(copy, (old, old))
    undo.go_back(machine, Journal(OLD, NEW, journal.LOOK, ["meridian"], ["meridian"]))
    [days] = [int(words[words.index("--days") + 1]) for words in asked if "--days" in words]
    assert days >= 91


def test_back_by_hand_that_is_killed_is_under_way_and_a_node_made_since_stops_it(machine: Played) -> None:
    done = one(journal.DONE)
    done.moved = ["meridian"]
    journal.keep(machine, done)
    with pytest.raises(Stop, match="harbour was made or brought on after the upgrade"):
        undo._by_hand(machine, sure=True)
    assert machine.done == []
    machine.at["harbour"] = "1"
    machine.trouble["meridian load 1.0"] = SystemExit()
    with pytest.raises(SystemExit):
        undo._by_hand(machine, sure=True)
    assert journal.under_way(machine).exists()
    machine.trouble.clear()
    undo.recover(machine)
    assert starts(machine) == ["harbour start", "meridian start"]


@pytest.mark.parametrize("error", [ValueError("no JSON"), KeyError("to"), OSError(28, "No space"), Stop("said so"), KeyboardInterrupt()])
def test_whatever_goes_wrong_in_a_step_the_nodes_run_again(machine: Played, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def wrong(_one: Journal) -> None:
        raise error

    release.switch(machine, OLD)
    monkeypatch.setattr(release, "version", lambda: NEW)
    monkeypatch.setattr(upgrade, "_acts", lambda _machine, _said: {journal.CHECK: lambda _one: None, journal.STOP: wrong})
    with pytest.raises(Stop, match=r"The nodes run 1\.0, as before"):
        upgrade._upgrade(machine, upgrade._parser().parse_args([]))
    assert starts(machine) == ["harbour start", "meridian start"]


def test_ctrl_c_waits_for_the_command_that_runs_and_breaks_off_then(tmp_path: Path) -> None:
    script = "import os, signal, time; os.kill(os.getppid(), signal.SIGINT); time.sleep(0.5); open('ended', 'w').close()"
    with pytest.raises(KeyboardInterrupt):
        say.run([sys.executable, "-c", script], "", cwd=tmp_path)
    assert (tmp_path / "ended").exists()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_on_the_way_back_neither_ctrl_c_nor_a_closed_window_ends_anything(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGHUP)  # ignored already where the tests were started to outlive their window
    kill = "import os, signal; [os.kill(at, number) for at in (os.getppid(), os.getpid()) for number in (signal.SIGINT, signal.SIGHUP)]"
    with say.undisturbed():
        say.run([sys.executable, "-c", kill + "; open('ended', 'w').close()"], "", cwd=tmp_path)
    assert (tmp_path / "ended").exists()
    assert signal.getsignal(signal.SIGHUP) == before


def node_command() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("node_command", str(ROOT / "deploy" / "fedcollab-node"))
    made = importlib.util.module_from_spec(importlib.util.spec_from_loader("node_command", loader))  # type: ignore[arg-type]
    loader.exec_module(made)
    return made


@pytest.mark.parametrize(("ignored", "ends"), [(signal.SIG_IGN, 0), (signal.SIG_DFL, -signal.SIGHUP)])
def test_a_nodes_command_goes_on_when_the_window_of_an_upgrade_is_closed(ignored: Callable[..., object], ends: int) -> None:
    made, before = node_command(), signal.getsignal(signal.SIGHUP)
    try:
        signal.signal(signal.SIGHUP, ignored)  # type: ignore[arg-type]
        made.listen(signal.SIGHUP, lambda *_: None)
        done = subprocess.run([sys.executable, "-c", "import os; os.kill(os.getpid(), 1)"], check=False)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert done.returncode == ends


def test_a_window_that_is_closed_is_not_written_to_and_the_work_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_words: object, **_more: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("builtins.print", closed)
    say.say("They answer again")


def test_a_closed_node_and_one_that_does_not_run_are_said_before_anything_is_changed(
    machine: Played, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(steps, "listens", lambda _node: ("node.example.org", 1))
    monkeypatch.setattr(upgrade, "answers", lambda _domain, _port: True)
    (machine.node("meridian").data / "maintenance.json").touch()
    with pytest.raises(Stop, match=r"meridian is closed.*fedcollab-node meridian maintenance off"):
        upgrade.check(machine, Journal(OLD, NEW, journal.CHECK, ["meridian"]))
    assert "harbour does not run and stays as it is. Before its next start: fedcollab-node harbour migrate" in capsys.readouterr().out


def test_a_release_is_given_what_the_one_before_was_given_besides(machine: Played) -> None:
    assert release.extras(machine, OLD) == "[media,passkeys]"
    (machine.release(OLD) / "lib/python3.13/site-packages/psycopg").mkdir(parents=True)
    assert release.extras(machine, OLD) == "[media,passkeys,postgres]"
