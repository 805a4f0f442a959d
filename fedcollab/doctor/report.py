"""Decides how findings read: on a terminal, as JSON, and as a text that may stand in a forum."""

import platform
import sqlite3
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from fedcollab import __version__

from .checks import CHECKS, CODES, Check
from .findings import FAIL, OK, SKIP, WARN, Finding
from .patient import Patient

WIDTH = max(len(code) for code in CODES)
FIRST = {check.code for before, check in pairwise(CHECKS) if before.run.__module__ != check.run.__module__}  # of its family
SHOWN = {OK: "ok  ", WARN: "WARN", FAIL: "FAIL", SKIP: "-   "}
PAGE = "docs/admins/troubleshooting.md"


def line(patient: Patient, check: Check, finding: Finding) -> str:
    """One check, what to do below it; a free line before each family of checks."""
    remedy = finding.remedy(patient.place)
    said = f"{SHOWN[finding.level]}  {check.code:{WIDTH}}  {finding.words()}" + (f"\n{'':{WIDTH + 8}}{remedy}" if remedy else "")
    return f"\n{said}" if check.code in FIRST else said


def summary(findings: Iterable[Finding]) -> str:
    """The last line: how many of each, and where to read on."""
    counts = Counter(finding.level for finding in findings)
    words = ((FAIL, "to mend"), (WARN, "to look at"), (OK, "well"), (SKIP, "not looked at"))
    said = ", ".join(f"{counts[level]} {word}" for level, word in words if counts[level])
    return f"{said}. What each of them means: {PAGE}" if counts[FAIL] + counts[WARN] else f"{said}. Nothing to do."


def data(patient: Patient, found: list[tuple[Check, Finding]]) -> dict[str, object]:
    """What `--json` prints."""
    checks = [{"code": c.code, "level": f.level, "text": f.words(), "mend": f.remedy(patient.place)} for c, f in found]
    return {"version": __version__, "well": all(f.level != FAIL for _, f in found), "checks": checks}


def redacted(found: list[tuple[Check, Finding]]) -> str:
    """Versions, codes, verdicts and numbers: no name, host, address or path."""
    runs_on = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    head = f"fedcollab {__version__} on {runs_on}"
    lines = [f"{SHOWN[f.level]}  {c.code:{WIDTH}}  {f.redacted()}" for c, f in found]
    return "\n".join([head, "", *lines, "", summary(f for _, f in found)])


def redacted_data(found: list[tuple[Check, Finding]]) -> dict[str, object]:
    """The same as JSON."""
    checks = [{"code": c.code, "level": f.level, "text": f.redacted()} for c, f in found]
    return {"version": __version__, "well": all(f.level != FAIL for _, f in found), "checks": checks}
