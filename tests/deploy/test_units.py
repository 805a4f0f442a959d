"""Shows that the units lock the services in, keep keys out of dumps and swap, and name the places that the machine's layout names."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from deploy._node.journal import copies
from deploy._node.layout import Machine

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICES = ["fedcollab@.service", "fedcollab-backup@.service"]
ALL = [*SERVICES, "fedcollab-backup@.timer"]
NODE = Machine(Path("/")).node("%i")
COPIES = copies(Machine(Path("/")), NODE)  # of the database, in clear, from before an upgrade
MOST = 1.5  # what `systemd-analyze security` may find exposed, of 10


def said(name: str) -> dict[str, list[str]]:
    """A unit's directives, each with its values in turn."""
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", (UNITS / name).read_text(), re.MULTILINE):
        found.setdefault(key, []).append(value)
    return found


def systemd(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([os.environ["FEDCOLLAB_TEST_SYSTEMD_ANALYZE"], *words], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.systemd
@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_exposed_by_at_most_one_and_a_half_of_ten(name: str, record_property: pytest.FixtureRequest) -> None:
    done = systemd("security", "--offline=true", f"--threshold={MOST * 10:.0f}", "--no-pager", str(UNITS / name))
    level = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert level, done.stderr
    record_property("said", f"{name} is exposed by {level[1]} of 10")  # type: ignore[operator]
    assert (done.returncode, float(level[1]) <= MOST) == (0, True)


@pytest.mark.systemd
def test_a_service_that_is_not_locked_in_is_found_out(tmp_path: Path) -> None:
    open_one = tmp_path / "open@.service"
    open_one.write_text("[Service]\nUser=nobody\nExecStart=/bin/true\n")
    assert systemd("security", "--offline=true", f"--threshold={MOST * 10:.0f}", "--no-pager", str(open_one)).returncode != 0


@pytest.mark.systemd
@pytest.mark.parametrize("name", ALL)
def test_systemd_finds_nothing_to_say_about_a_unit(name: str, tmp_path: Path) -> None:
    for unit in ALL:  # a program that this machine has, in the place of the node's
        (tmp_path / unit).write_text((UNITS / unit).read_text().replace("/opt/fedcollab/current/bin/fedcollab", "/bin/true"))
    done = systemd("verify", "--man=no", str(tmp_path / name.replace("@", "@sample")))
    assert (done.returncode, [line for line in done.stderr.splitlines() if "fedcollab" in line]) == (0, [])


@pytest.mark.parametrize("name", SERVICES)
def test_the_key_is_handed_over_and_goes_into_no_dump_and_no_swap(name: str) -> None:
    unit = said(name)
    assert unit["LoadCredential"] == [f"node.key:{NODE.key}"]
    assert (unit["LimitCORE"], unit["MemorySwapMax"], unit["UMask"]) == (["0"], ["0"], ["0077"])
    assert unit["User"] == unit["Group"] == [NODE.user]


def test_the_services_write_to_their_own_places_alone() -> None:
    assert said("fedcollab@.service")["ReadWritePaths"] == [str(NODE.data)]
    assert said("fedcollab-backup@.service")["ReadWritePaths"] == [str(NODE.data), f"-{COPIES}", f"-{NODE.backups}"]
    for name in SERVICES:
        assert said(name)["ProtectSystem"] == ["strict"]


def test_the_services_run_the_release_that_is_current() -> None:
    for name in SERVICES:
        assert said(name)["ExecStart"][0].startswith(f"{Machine(Path('/')).current}/bin/fedcollab -C {NODE.data} ")


def test_a_start_is_waited_for_and_the_limit_of_open_files_is_above_that_of_connections() -> None:
    unit = said("fedcollab@.service")
    assert (unit["Type"], unit["Restart"], int(unit["LimitNOFILE"][0]) > 2 * 1000) == (["notify"], ["on-failure"], True)


def test_a_backup_is_made_each_night_also_where_the_machine_was_off_and_reaches_no_other_machine() -> None:
    timer, service = said("fedcollab-backup@.timer"), said("fedcollab-backup@.service")
    assert (timer["Persistent"], "RandomizedDelaySec" in timer, "OnCalendar" in timer) == (["yes"], True, True)
    assert (service["Type"], service["IPAddressDeny"]) == (["oneshot"], ["any"])


@pytest.mark.rule("P10", "P11")
def test_what_an_upgrade_keeps_in_clear_goes_after_two_weeks_and_nothing_beside_it(tmp_path: Path) -> None:
    [clears] = said("fedcollab-backup@.service")["ExecStartPre"]
    assert clears.startswith(f"-/usr/bin/find {COPIES} ")
    place, outside = tmp_path / "meridian", tmp_path / "outside"
    place.mkdir()
    for path, days in ((place / "before", 15), (place / "newer", 1), (outside, 90)):
        path.write_text("in clear")
        os.utime(path, times=(path.stat().st_mtime - days * 86400,) * 2)
    (place / "link").symlink_to(outside)
    for _ in range(2):
        subprocess.run(clears.removeprefix("-").replace(str(COPIES), str(place)).split(), check=True, timeout=20)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["link", "meridian", "newer", "outside"]
