"""Decides what an admin reads of what is kept and for how long; the figures are the ones by which it goes."""

from dataclasses import dataclass

from fedcollab.base.clock import DAY
from fedcollab.base.errors import N_
from fedcollab.federation import outbox, retention

from . import disk


@dataclass(frozen=True)
class Kept:
    """One line: what, for how many days (None where no day ends it), and what else there is to say, as message ids."""

    what: str
    days: int | None
    more: str = ""


def kept(backup_keep: int) -> tuple[Kept, ...]:
    """All lines; `backup_keep` is the setting, in days."""
    return (
        Kept(N_("Posts, conversations and groups"), None, N_("Until their authors or your moderators take them away.")),
        Kept(N_("Earlier versions of a post"), None, N_("As long as the post.")),
        Kept(N_("Posts that were deleted"), None, N_("The text goes at once. That there was a post stays, so that it does not come back.")),
        Kept(N_("Files"), None, N_("As long as a post or a resource holds them. What is put into none goes after a day.")),
        Kept(N_("Partners' files"), None, N_("Until their room is needed. They are fetched again when somebody opens them.")),
        Kept(N_("Drafts"), 180, N_("After the last change; at once when they are sent.")),
        Kept(N_("Imports into the library"), 30, N_("After the last change; what was added stays.")),
        Kept(
            N_("What went to partners and came from them"),
            outbox.KEPT // DAY,
            N_("After it was taken; only a week where the disk is almost full. What still waits stays."),
        ),
        Kept(
            N_("That partners confirmed a deletion"), retention.RECEIPTS_KEPT // DAY, N_("Where one has not confirmed, the question stays.")
        ),
        Kept(N_("Reports and what moderators did"), None, N_("For good: they show why something is gone.")),
        Kept(N_("Sessions"), 30, N_("12 hours without use end them earlier.")),
        Kept(N_("Invitation links"), 7, N_("At once when they are used. One-time links live for 15 minutes.")),
        Kept(N_("Tokens for tools"), None, N_("Until the day that their owner chose, a year at most.")),
        Kept(
            N_("Accounts that were disabled"), None, N_("The name stays with what the person wrote; password and second factor go at once.")
        ),
        Kept(N_("The record"), None, N_("For good. It holds random ids, no names and no content.")),
        Kept(N_("How full the disk was"), disk.KEPT),
        Kept(N_("How backups ended"), None, N_("The newest 100.")),
        Kept(N_("Backups"), backup_keep, N_("The newest one always. What was deleted here lives in older backups until they go.")),
    )
