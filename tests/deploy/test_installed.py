"""Shows what deploy/install leaves on a Debian machine: a node that answers through Caddy, locked in, and commands that run as it does."""

import re
import time

import pytest

from .conftest import HARBOUR, INSTALL, MERIDIAN, Installed, options
from .trees import PUBLIC

CADDYS = "/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt"
WITHOUT_TRACE = "/etc /opt /usr/local /var/backups /srv"


def kinds(listed: object) -> list[object]:
    """Of each backup in a list whether it is one of a key ring."""
    assert isinstance(listed, list)
    return [one.get("ring") for one in listed]


def pid(installed: Installed, name: str = "meridian") -> str:
    return installed.tree.read(f"/run/stand-in/fedcollab@{name}.service").strip()


def test_an_empty_debian_has_a_node_that_answers_through_caddy_in_less_than_three_minutes(
    installed: Installed, record_property: pytest.FixtureRequest
) -> None:
    record_property("said", f"a node on an empty {installed.tree.read('/etc/debian_version').strip()} in {installed.seconds:.0f} s")  # type: ignore[operator]
    assert installed.seconds < 180
    assert f"Without https://, the name alone: {MERIDIAN}" in installed.said
    status, body = installed.tree.visit(f"https://{MERIDIAN}/actor", "Accept: application/activity+json")
    assert (status, f'"https://{MERIDIAN}/actor"' in body) == (200, True)


def test_the_link_at_the_end_opens_to_whoever_has_it(installed: Installed) -> None:
    link = re.findall(rf"https://{re.escape(MERIDIAN)}/link/\S+", installed.said)[-1]
    status, page = installed.tree.visit(link)
    assert (status, "Sign in with your one-time link" in page) == (200, True)


def test_the_backups_key_was_shown_once_and_lies_nowhere_on_the_machine(installed: Installed) -> None:
    groups = re.findall(r"\b[0-9A-Z]{5}\b(?=  |\n)", installed.said)
    assert len(groups) == 13
    kept = "/etc /var /opt/fedcollab/current /root /run /home /tmp"
    for joined in ("".join(groups), "  ".join(groups[:5]), " ".join(groups[:5])):
        assert installed.tree.run("sh", "-c", f"grep -rlIF '{joined}' {kept} || true") == ""


def test_a_second_run_says_what_is_there_and_changes_nothing(installed: Installed) -> None:
    before = installed.tree.state(*WITHOUT_TRACE.split())
    for more in ([], options("Meridian Outreach", MERIDIAN, "ilse")):
        said = installed.tree.run(INSTALL, *more)
        assert f"https://{MERIDIAN}  Meridian Outreach; answers" in said
        assert "Nothing was changed." in said
    assert installed.tree.state(*WITHOUT_TRACE.split()) == before


def test_the_master_key_is_roots_alone_and_the_nodes_directory_its_users_alone(installed: Installed) -> None:
    listed = installed.tree.run(
        "stat", "-c", "%a %U %n", "/etc/fedcollab/meridian", "/etc/fedcollab/meridian/node.key", "/var/lib/fedcollab/meridian"
    )
    assert listed.split("\n")[:3] == [
        "700 root /etc/fedcollab/meridian",
        "600 root /etc/fedcollab/meridian/node.key",
        "700 fedcollab-meridian /var/lib/fedcollab/meridian",
    ]
    assert "node.key" not in installed.tree.run("ls", "/var/lib/fedcollab/meridian")
    others = installed.tree.run("find", "/var/lib/fedcollab/meridian", "-perm", "/077")
    assert others == ""


def test_the_node_runs_locked_in(installed: Installed) -> None:
    status = dict(line.split(":\t", 1) for line in installed.tree.read(f"/proc/{pid(installed)}/status").splitlines() if ":\t" in line)
    assert (status["NoNewPrivs"], status["CapEff"]) == ("1", "0" * 16)
    assert "Max core file size        0" in installed.tree.read(f"/proc/{pid(installed)}/limits")
    mounts = [line.split()[1:4] for line in installed.tree.read(f"/proc/{pid(installed)}/mounts").splitlines()]
    assert {place: rights.split(",")[0] for place, _, rights in mounts if place in ("/", "/var/lib/fedcollab/meridian")} == {
        "/": "ro",
        "/var/lib/fedcollab/meridian": "rw",
    }


def test_no_compiler_and_no_node_came_with_it(installed: Installed) -> None:
    assert installed.tree.run("sh", "-c", "command -v gcc cc g++ make node npm || true") == ""


def test_the_record_is_whole_and_commands_take_what_is_typed(installed: Installed) -> None:
    installed.node("audit", "verify")
    installed.node("user", "add", "daan", "--password-stdin", typed="four plain words here\n")
    assert {member["username"] for member in installed.json("user", "list")} == {"ilse", "daan"}  # type: ignore[attr-defined]


def test_a_command_leaves_no_key_behind_whether_it_ends_by_itself_or_by_a_signal(installed: Installed) -> None:
    def keys() -> str:
        return installed.tree.run("sh", "-c", "ls -d /run/fedcollab-node.* 2>/dev/null || true")

    installed.node("user", "list")
    assert keys() == ""
    for number in ("TERM", "HUP"):
        script = f"mkfifo /tmp/{number}; fedcollab-node meridian user add x --password-stdin < /tmp/{number} & exec 9> /tmp/{number}; "
        script += f"sleep 1; ls -d /run/fedcollab-node.*; kill -{number} $!; wait $!; echo ended $?"
        said = installed.tree.run("sh", "-c", script)
        assert said.startswith("/run/fedcollab-node."), said
        assert "ended " in said
        assert keys() == ""


def test_what_a_killed_command_left_goes_with_the_next_one(installed: Installed) -> None:
    installed.tree.run("mkdir", "/run/fedcollab-node.999999.abcd")
    installed.node("user", "list")
    assert installed.tree.run("sh", "-c", "ls -d /run/fedcollab-node.* 2>/dev/null || true") == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nobody", "user", "list"], "There is no node nobody on this machine. There are: meridian"),
        (["../../etc", "user", "list"], "There is no node ../../etc"),
        ([".meridian.half", "user", "list"], "There is no node .meridian.half"),
    ],
)
def test_a_node_that_is_not_there_is_named(installed: Installed, words: list[str], said: str) -> None:
    assert said in installed.tree.run("fedcollab-node", *words, code=1)


def test_the_nightly_backup_is_switched_on_and_made_as_the_nodes_user(installed: Installed) -> None:
    installed.tree.run("systemctl", "is-enabled", "fedcollab-backup@meridian.timer")
    installed.tree.run("systemctl", "start", "fedcollab-backup@meridian.service")
    place = "/var/backups/fedcollab/meridian"
    assert kinds(installed.json("backup", "list", place)) == [None, True], "of the node, and of its key ring"
    assert installed.tree.run("find", place, "!", "-user", "fedcollab-meridian", "-o", "-perm", "/077") == ""


def test_backups_are_given_another_place_and_the_node_goes_on(installed: Installed) -> None:
    installed.tree.run("mkdir", "-p", "/mnt/disk")
    for place in ("/mnt/disk/meridian", "/var/backups/fedcollab/meridian", "/mnt/disk/meridian"):
        before = installed.tree.run("ls", "-l", "/var/lib/fedcollab/meridian/node.toml").split()[:4]
        assert f"Backups of meridian go to {place}" in installed.tree.run(INSTALL, "--backups", place)
        assert installed.tree.run("ls", "-l", "/var/lib/fedcollab/meridian/node.toml").split()[:4] == before
        assert f'backup_to = "{place}"' in installed.tree.read("/var/lib/fedcollab/meridian/node.toml")
    installed.tree.run("systemctl", "start", "fedcollab-backup@meridian.service")
    assert kinds(installed.json("backup", "list", "/mnt/disk/meridian")) == [None, True], "of the node, and of its key ring"
    assert installed.tree.visit(f"https://{MERIDIAN}/login")[0] == 200


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--backups", "/nowhere/at/all"], "/nowhere/at is not there"),
        (["--backups", "/etc"], "/etc holds something else already"),
        (["--backups", "/mnt/x", "--node", "nobody"], "Say --node with one of: meridian"),
    ],
)
def test_a_place_for_backups_that_cannot_be_is_refused_and_nothing_changes(installed: Installed, more: list[str], said: str) -> None:
    before = installed.tree.state("/etc", "/var/lib/fedcollab/meridian/node.toml")
    assert said in installed.tree.run(INSTALL, *more, code=1)
    assert installed.tree.state("/etc", "/var/lib/fedcollab/meridian/node.toml") == before


def test_another_organisation_has_its_own_node_beside_it_and_both_federate_through_caddy(installed: Installed) -> None:
    more = ["--machine-run-by", "Meridian Outreach", "--backups", "/mnt/harbour"]
    said = installed.tree.run(INSTALL, "--another", *options("Harbour", HARBOUR, "lea"), *more)
    assert "fedcollab-harbour" in said
    installed.tree.run("systemctl", "start", "fedcollab-backup@harbour.service")
    assert kinds(installed.json("backup", "list", "/mnt/harbour", name="harbour")) == [None, True], "of the node, and of its key ring"
    assert 'machine_run_by = "Meridian Outreach"' in installed.tree.read("/var/lib/fedcollab/harbour/node.toml")
    listening = installed.tree.run("grep", "-h", "^listen", "/var/lib/fedcollab/meridian/node.toml", "/var/lib/fedcollab/harbour/node.toml")
    assert len(set(listening.split("\n")) - {""}) == 2
    secret = "/var/lib/fedcollab/meridian/node.toml"
    assert "ermission denied" in installed.tree.run("setpriv", "--reuid=fedcollab-harbour", "--clear-groups", "cat", secret, code=1)
    _trust_caddy(installed)
    for name, other in (("meridian", HARBOUR), ("harbour", MERIDIAN)):
        installed.node("partner", "add", f"https://{other}", "--approve", name=name)
    assert installed.tree.run("getent", "hosts", HARBOUR).startswith(PUBLIC)
    until = time.monotonic() + 30
    while not all(_heard(installed, name) for name in ("meridian", "harbour")) and time.monotonic() < until:
        time.sleep(0.5)
    assert [_heard(installed, name) for name in ("meridian", "harbour")] == [True, True]


def _trust_caddy(installed: Installed) -> None:
    """Both nodes take Caddy's own certificates for good, as they take public ones elsewhere."""
    installed.tree.run("sh", "-c", f"cp {CADDYS} /usr/local/share/ca-certificates/caddy.crt && update-ca-certificates")
    installed.tree.run("systemctl", "restart", "fedcollab@meridian", "fedcollab@harbour")


def _heard(installed: Installed, name: str) -> bool:
    """Whether the partner has taken what this node signed and sent, and follows it."""
    partner = installed.json("partner", "list", name=name)[0]  # type: ignore[index]
    return bool(partner["last_success_at"]) and not partner["does_not_follow"]
