"""Decides whether the node would come back: backups go somewhere, can be made, and the newest is young."""

from pathlib import Path

from fedcollab.backup import runs
from fedcollab.backup.models import FAILED, VERIFIED
from fedcollab.base.clock import DAY, HOUR

from .findings import FAIL, WARN, Finding, Lacking, graded, ok, warn
from .patient import Patient

OLD, TOO_OLD = 36 * HOUR, 7 * DAY


def making(patient: Patient, to: str) -> dict[str, object]:
    """Values for a remedy that ends with making a backup: by each night's unit, for that may write less than an admin; else by hand."""
    place = patient.place
    return {"backup": place.get("backup", f"{place['node']} backup create {to}")}


def _place(patient: Patient) -> Path:
    if not patient.settings.backup_to:
        raise Lacking("backup-to")
    return Path(patient.settings.backup_to)


def backup_to(patient: Patient) -> Finding:
    """`backup-to`: the settings say where backups go, and that is there."""
    to = patient.settings.backup_to
    if not to:
        return warn(
            "Nothing says where backups go, so none are made by themselves.",
            "Give them a disk of its own: %(move)s",
        )
    if not Path(to).is_dir():
        return Finding(
            FAIL, "The directory for backups is not there: %(to)s.", "Mount its disk (mount -a), or name another: %(move)s", {"to": to}
        )
    return ok("Backups go to %(to)s.", to=to)


def backup_disk(patient: Patient) -> Finding:
    """`backup-disk`: a backup on the node's own disk is lost with it."""
    try:
        same = patient.machine.device(_place(patient)) == patient.machine.device(patient.root)
    except OSError:
        raise Lacking("backup-to") from None
    if same:
        return warn(
            "Backups lie on the same disk as the node.",
            "Mount another disk, best one of another machine, then: %(move)s",
        )
    return ok("Backups lie on another disk than the node.")


def backup_key(patient: Patient) -> Finding:
    """`backup-key`: there is a printed key, which alone opens backups."""
    if not patient.files.backup_key.exists():
        return warn("There is no key for backups yet, so none can be made.", "Make it and print it: %(node)s backup key")
    return ok("There is a printed key for backups.")


def backup_run(patient: Patient) -> Finding:
    """`backup-run`: the newest attempt to make a backup succeeded."""
    with patient.session() as session:
        run = runs.newest(session)
        state, why, to = (run.state, run.why, run.place) if run else ("", "", "")
    if state == FAILED:
        return Finding(
            FAIL,
            "The newest backup failed: %(why)s",
            "Mend that, then: %(backup)s",
            {"why": why.partition("\n")[0], **making(patient, to)},
        )
    return ok("The newest backup succeeded." if run else "No backup has failed.")


def backup_age(patient: Patient) -> Finding:
    """`backup-age`: the newest good backup is not older than a night and a day."""
    with patient.session() as session:
        run = runs.newest(session, VERIFIED)
        at, to = (run.at, run.place) if run else (0, patient.settings.backup_to or "DIRECTORY")
    if run is None:
        return Finding(WARN, "No backup was ever made.", "Make one: %(backup)s", making(patient, to))
    hours = (patient.clock() - at) // HOUR

    def made(level: str) -> Finding:
        age = "%(hours)d hours" if hours < 72 else f"{hours // 24} days"
        mend = "Make one: %(backup)s (and see why the timer did not: systemctl list-timers)"
        return Finding(
            level, f"The newest backup is {age} old.", mend if level in (WARN, FAIL) else "", {"hours": hours, **making(patient, to)}
        )

    return graded(patient.clock() - at, OLD, TOO_OLD, made)
