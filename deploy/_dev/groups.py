"""Decides how the tests run: the house's rules and the quick tests first, then what takes real processes, databases, browsers."""

import os
import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .environment import PYTHON
from .say import in_ci, log_of, logged
from .scratch import scratch
from .tools import AXE_CORE, BOOKWORM, CADDY, CHROMIUM, COMPOSE, NGINX, PEERS, POSTGRES, SYSTEMD, TRIXIE, Tool

HOUSE = "tests/test_architecture.py"
SERVERS = "caddy or nginx or compose or systemd"
NO_TESTS = 5  # pytest's exit code


@dataclass(frozen=True)
class Group:
    """Tests that run together: those that carry `marks` (a pytest expression), in `workers` processes (whole files each, where what the
    tests of a file share is dear), if `needs` are there. All of them lie in `folder`, so that no other is read. Two keep two cores busy;
    tests of nodes wait for each other, for the disk and the clock half of their time, and three do."""

    name: str
    marks: str
    needs: tuple[Tool, ...] = ()
    workers: int = 2
    whole_files: bool = False
    only: str = ""
    folder: str = ""


CHECK = (
    Group("house", "not full", only=HOUSE),
    Group("quick", f"not slow and not postgres and not browser and not peers and not ({SERVERS}) and not full", workers=3),
)
TREES = Group("trees", "trixie and not full", (TRIXIE,), whole_files=True, folder="tests/deploy")
UPGRADE = Group("upgrade", "trixie", (TRIXIE,), workers=0)
SLOW = (
    Group("slow", f"slow and not postgres and not browser and not peers and not trixie and not ({SERVERS}) and not full", workers=3),
    Group("postgres", "postgres and not browser and not full", (POSTGRES,), workers=3),
    Group("browser", "browser and not full", (CHROMIUM, AXE_CORE), folder="tests/browser"),
    Group("peers", "peers and not full", (PEERS,), folder="tests/peers"),
    Group("servers", f"({SERVERS}) and not full", (CADDY, NGINX, COMPOSE, SYSTEMD), workers=0, folder="tests/deploy"),
    TREES,
)
FULL = (
    Group("full", "full and not bookworm", workers=0),  # one at a time: they measure; what one of them lacks, tests/conftest.py says
    Group("trees 12", "bookworm", (BOOKWORM,), workers=0, folder="tests/deploy"),
)


@dataclass(frozen=True)
class Outcome:
    """What became of a group: whether the run may pass, its summary line, and beneath it what its tests say and why some were skipped."""

    good: bool
    words: str
    beneath: tuple[str, ...] = ()


def run(groups: Sequence[Group], *, chosen: Sequence[str], full: bool) -> int:
    """Runs the groups in turn, says one line for each, returns the exit code. `chosen` are pytest's own arguments that narrow."""
    places = {tool: tool.path() for tool in dict.fromkeys(tool for group in groups for tool in group.needs)}
    good, lines = True, []
    for group in groups:
        if chosen and group.only:
            continue
        with scratch() as place:
            outcome = _outcome(group, places, chosen, {} if place is None else {"TMPDIR": str(place)}, full=full)
        good = good and outcome.good
        lines.append("\n".join([f"{group.name:<9} {outcome.words}", *(f"          {line}" for line in outcome.beneath)]))
        print(lines[-1], flush=True)
    if not good:
        print("\nIn short:", *lines, sep="\n")  # the logs of what failed stand between the lines above
    return 0 if good else 1


def _outcome(group: Group, places: Mapping[Tool, str | None], chosen: Sequence[str], temporary: dict[str, str], *, full: bool) -> Outcome:
    missing = [f"{tool.name} is missing ({tool.advice})" for tool in group.needs if places[tool] is None]
    if missing:
        return Outcome(not in_ci(), f"{'FAILED' if in_ci() else 'skipped'}: {'; '.join(missing)}")
    report = log_of(group.name).with_suffix(".xml")
    report.unlink(missing_ok=True)
    started = time.monotonic()
    code = logged(group.name, _command(group, chosen, report, full=full), _environment(places) | temporary)
    return _judge(group.name, code, report, time.monotonic() - started)


def _environment(places: Mapping[Tool, str | None]) -> dict[str, str]:
    """What tests find beside what this process has. Bytecode is kept even where the machine's own wish is that none is: a node's process
    starts in three quarters of the time with it, and there are hundreds."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {tool.variable: place for tool, place in places.items() if place}


def _command(group: Group, chosen: Sequence[str], report: Path, *, full: bool) -> list[str]:
    command = [str(PYTHON), "-m", "pytest", "-q", "-rsfE", "--no-header", "-m", group.marks, f"--junitxml={report}"]
    command += ["-n", str(group.workers)] if group.workers else []
    command += ["--dist", "loadfile" if group.whole_files else "worksteal"] if group.workers else []
    command += ["--full"] if full else []
    command += [group.only] if group.only else [f"--ignore={HOUSE}"]
    return [*command, *(chosen or ([group.folder] if group.folder else []))]


def _judge(name: str, code: int, report: Path, seconds: float) -> Outcome:
    if code == NO_TESTS:
        return Outcome(good=True, words=f"no tests, {seconds:.0f} s")
    log = log_of(name).read_text(errors="replace")
    if code != 0:
        print(log, flush=True)
    words = ", ".join(f"{count} {what}" for what, count in _counts(report).items() if count) or f"stopped with code {code}"
    skipped = sorted(set(re.findall(r"^SKIPPED \[\d+\] \S+ (.*)$", log, re.MULTILINE)))
    verdict = "" if code == 0 else "FAILED: "
    return Outcome(code == 0, f"{verdict}{words}, {seconds:.0f} s", (*_said(report), *(f"skipped: {reason}" for reason in skipped)))


def _said(report: Path) -> list[str]:
    """What tests want read where they pass too: the properties "said" that they record."""
    try:
        found = ET.parse(report).getroot().iter("property")
    except (OSError, ET.ParseError):
        return []
    return [entry.get("value", "") for entry in found if entry.get("name") == "said"]


def _counts(report: Path) -> dict[str, int]:
    """Counts from pytest's report; a run that died before writing one has none."""
    try:
        suite = ET.parse(report).getroot().find("testsuite")
    except (OSError, ET.ParseError):
        return {}
    if suite is None:
        return {}
    total, failed, broken, skipped = (int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped"))
    return {"passed": total - failed - broken - skipped, "failed": failed, "errors": broken, "skipped": skipped}
