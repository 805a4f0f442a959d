"""Decides whether the key ring is there, for itself and at this program's step, and whether its backups are and are gone in time."""

from pathlib import Path

from fedcollab.backup import ring_sets, sets
from fedcollab.base import migrate
from fedcollab.base.errors import Misconfigured

from . import reading
from .backups import making
from .findings import FAIL, WARN, Finding, Lacking, Open, fail, ok
from .patient import Patient

MISSING = "The key ring (ring.db) is missing: nothing that is sealed opens without it."


def ring(patient: Patient) -> Finding:
    """`ring`: it can be opened, is a database of its own, and is at the step that this program needs."""
    settings, path = patient.settings, patient.files.ring
    if not settings.ring_url and not path.exists():
        return fail(MISSING, "Was it ever there, restore the newest backup: %(restore)s. After an upgrade: %(node)s migrate")
    engine = reading.opened(settings.ring_url, path)
    try:
        at, newest = migrate.current(engine, migrate.RING), migrate.head(migrate.RING)
    except Misconfigured as error:
        return fail("The key ring can't be used: %(why)s", "Name its own database, or leave ring_url out: %(start)s", why=error.in_words())
    except ModuleNotFoundError:
        raise Lacking("database") from None
    finally:
        engine.dispose()
    values = {"at": Open(at or "-"), "newest": Open(newest)}
    if at > newest:
        return fail("The key ring is at step %(at)s, this program knows %(newest)s.", "Install the newer version again.", **values)
    if at < newest:
        return fail("The key ring is at step %(at)s, this program needs %(newest)s.", "%(node)s migrate", **values)
    return ok("The key ring is for itself, at step %(at)s.", at=Open(at))


def ring_backups(patient: Patient) -> Finding:
    """`ring-backups`: there is one, and none is older than two weeks."""
    to = patient.settings.backup_to
    if not to or not Path(to).is_dir():
        raise Lacking("backup-to")
    place = Path(to) / ring_sets.FOLDER
    found = sets.listed(place)
    over = sum(ring_sets.is_over(path, patient.clock()) for path in found)
    if over:
        return Finding(
            FAIL,
            "%(over)d backups of the key ring are older than two weeks: what was destroyed is in them yet.",
            "Make a backup, which takes them away: %(backup)s",
            {"over": over, **making(patient, to)},
        )
    if not found:
        return Finding(WARN, "There is no backup of the key ring.", "Make one: %(backup)s", dict(making(patient, to)))
    return ok("There are %(number)d backups of the key ring, none older than two weeks.", number=len(found))
