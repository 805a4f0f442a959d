"""Decides whether members' files are there as the database says, and whether what keeps and scans them answers."""

import sqlalchemy as sa

from fedcollab.base.blobs import new_key
from fedcollab.base.errors import Misconfigured, Unavailable
from fedcollab.files import scanning
from fedcollab.files.models import HERE, File
from fedcollab.files.shelves import shelves
from fedcollab.sealing.room_models import SealedFile

from .findings import Finding, Open, fail, ok, warn
from .patient import Patient, disk_size

LOOKED_AT = 100_000  # files, the newest


def stored(patient: Patient) -> Finding:
    """`files`: each file of ours, and each sealed one, has its bytes in the node's directory, as many as the database says. In a bucket,
    `bucket` says whether that can be reached."""
    if patient.settings.s3_url:
        return ok("Files lie in a bucket.")
    with patient.session() as session:
        query = sa.select(File.key, File.size).where(File.by_id.is_not(None), File.state == HERE)
        rows = [*session.execute(query.order_by(File.created_at.desc()).limit(LOOKED_AT))]
        sealed = sa.select(SealedFile.key, SealedFile.size).where(SealedFile.state == HERE)
        rows += session.execute(sealed.order_by(SealedFile.at.desc()).limit(LOOKED_AT))
    folder = patient.files.uploads
    wrong = sum(disk_size(folder / key[:2] / key) != size for key, size in rows)
    if wrong:
        return fail(
            "Files of members are missing or cut: %(number)d.", "Bring %(root)s/files back from a backup: %(restore)s", number=wrong
        )
    return ok("All %(number)d files of members are there.", number=len(rows))


async def bucket(patient: Patient) -> Finding:
    """`bucket`: the S3 server lets this node look into its bucket."""
    if not patient.settings.s3_url:
        return ok("Files lie in the node's directory.")
    try:
        made = shelves(patient.settings, patient.files)
    except Misconfigured as error:
        return fail("The bucket can't be used.", "%(why)s", why=error.in_words())
    try:
        await made.own.size(new_key())
    except Unavailable as error:
        mend = "Is the server up, are s3_url, s3_bucket, s3_key and s3_secret right? Then: systemctl restart %(unit)s"
        return fail("The bucket can't be looked into (%(why)s).", mend, why=error.reason)
    finally:
        made.disk.close()
    return ok("The bucket can be looked into.")


async def scanner(patient: Patient) -> Finding:
    """`scanner`: the scanner that the settings name answers; without it no file is taken."""
    if not patient.settings.scanner:
        return ok("No scanner is set.")
    if not await scanning.answers(patient.settings.scanner):
        mend = "systemctl start clamav-daemon. Does it run, its socket has to be open to this node's user; or set scanner = '' in node.toml"
        return fail("The scanner does not answer, so no file is taken.", mend)
    return ok("The scanner answers.")


def pictures(patient: Patient) -> Finding:
    """`pictures`: the libraries that decode pictures and PDF pages are installed; they are a part of the program that one may leave out."""
    lacking = patient.machine.lacks()
    if lacking:
        text = "Members' pictures are refused, and no file has a preview. Missing: %(names)s."
        return warn(text, 'In the program\'s environment: pip install "fedcollab[media]"', names=Open(", ".join(lacking)))
    return ok("Pictures and PDF pages can be decoded.")
