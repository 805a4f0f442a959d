"""Decides the command that looks whether a node is well: one line a check, what to do below it, and a last line that counts."""

from typing import Annotated, Any

import typer

from .console import CHOSEN, AsJson, say

Only = Annotated[list[str] | None, typer.Option("--only", help="Make this check alone, by its code; may be given several times.")]
Offline = Annotated[bool, typer.Option("--offline", help="Ask nobody: leave out what is looked at over the network.")]
Redacted = Annotated[bool, typer.Option("--redacted-report", help="Print a text for a forum, without names, hosts, addresses and paths.")]


def doctor(only: Only = None, offline: Offline = False, redacted_report: Redacted = False, as_json: AsJson = False) -> None:
    """Looks whether the node is well, running or not, and says what to do; exits with 1 where something is to be mended."""
    import asyncio

    from fedcollab.doctor import report
    from fedcollab.doctor.checks import CODES, Check, examine
    from fedcollab.doctor.findings import FAIL, Finding
    from fedcollab.doctor.patient import Patient

    if unknown := set(only or ()) - set(CODES):
        raise typer.BadParameter(f"There is no check {', '.join(sorted(unknown))}. There are: {', '.join(CODES)}", param_hint="--only")
    patient, found = Patient(CHOSEN["directory"]), list[tuple[Check, Finding]]()

    async def look() -> None:
        async for check, finding in examine(patient, only=only or (), offline=offline):
            if not (as_json or redacted_report):
                said = report.line(patient, check, finding)
                print(said if found else said.lstrip(), flush=True)
            found.append((check, finding))

    asyncio.run(look())
    _end(as_json, redacted_report, report, patient, found)
    raise typer.Exit(1 if any(finding.level == FAIL for _, finding in found) else 0)


def _end(as_json: bool, redacted: bool, report: Any, patient: Any, found: Any) -> None:
    if redacted:
        say(as_json, report.redacted_data(found), report.redacted(found))
    else:
        say(as_json, report.data(patient, found), "\n" + report.summary(finding for _, finding in found))
