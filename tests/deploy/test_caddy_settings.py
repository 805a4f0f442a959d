"""Shows that what an admin wrote into Caddy's settings stays, and that Caddy is told anew also by a run after one that was killed."""

from pathlib import Path

import pytest

from deploy._node import caddy, reach, services
from deploy._node.answers import Answers
from deploy._node.layout import Machine
from deploy._node.say import Stop

ANSWERS = Answers("meridian", "Meridian Outreach", "node.meridian.example.org", "ilse", "/nowhere", 8000)
OWN = "{\n\temail ilse@example.org\n}\n\nwww.example.org {\n\troot * /srv/www\n\tfile_server\n}\n"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the service manager and Caddy were told, in turn."""
    found: list[str] = []
    monkeypatch.setattr(caddy, "run", lambda words, _: found.append(words[1]))
    monkeypatch.setattr(services, "is_active", lambda _: bool(found))
    monkeypatch.setattr(services, "enable", lambda unit: found.append(f"enable {unit}"))
    monkeypatch.setattr(services, "reload_or_start", lambda unit: found.append(f"reload {unit}"))
    return found


TOLD = ["adapt", "enable caddy.service", "reload caddy.service"]


def test_an_admins_caddyfile_gets_one_line_once(tmp_path: Path, told: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    machine = Machine(tmp_path)
    machine.caddyfile.parent.mkdir(parents=True)
    machine.caddyfile.write_text(OWN)
    for _ in range(2):
        caddy.put(machine, machine.node("meridian"), ANSWERS)
        assert machine.caddyfile.read_text() == f"{OWN}\n{caddy.IMPORT}\n"
    assert told == TOLD * 2
    assert "is yours: it gets the line" in capsys.readouterr().out


def test_where_there_is_none_it_becomes_the_example(tmp_path: Path, told: list[str]) -> None:
    machine = Machine(tmp_path)
    caddy.put(machine, machine.node("meridian"), ANSWERS)
    assert machine.caddyfile.read_text() == (caddy.EXAMPLES / "Caddyfile").read_text()
    assert ANSWERS.domain in machine.node("meridian").site.read_text()
    assert told == TOLD


def test_settings_that_cannot_be_read_are_not_loaded(tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_words: object, otherwise: str) -> None:
        raise Stop(otherwise)

    monkeypatch.setattr(caddy, "run", refuse)
    machine = Machine(tmp_path)
    with pytest.raises(Stop, match="can't be read"):
        caddy.put(machine, machine.node("meridian"), ANSWERS)
    assert told == []


@pytest.mark.parametrize(("free", "runs", "refused"), [(False, False, True), (False, True, False), (True, False, False)])
def test_another_web_server_is_named_before_anything_is_asked(
    free: bool, runs: bool, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "is_free", lambda port: free)
    monkeypatch.setattr(services, "is_active", lambda _: runs)
    if refused:
        with pytest.raises(Stop, match=r"has port 80 and 443(?s:.*)--web none"):
            caddy.refuse_other_servers()
    else:
        caddy.refuse_other_servers()
