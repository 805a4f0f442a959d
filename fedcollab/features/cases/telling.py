"""Decides in which words the timeline tells what happened: one for each kind of entry, and for what cannot be read."""

from typing import Any

from fedcollab.base.errors import N_

from .grounds import CASE_STATUS, LAWFUL_BASIS, METHODS, ORGANISATIONS, PARTS, PROGRESS, REACHED, REFERRAL_REASON, ROLES, SPECIAL
from .words import SUPPORT

KINDS = {
    "opened": N_("Case opened"),
    "terms": N_("Terms changed"),
    "status": N_("Status changed"),
    "closed": N_("Case closed"),
    "hold": N_("Held back from erasure"),
    "hold-lifted": N_("A hold was ended"),
    "message": N_("Message"),
    "decision": N_("Decision"),
    "contact": N_("Contact"),
    "task": N_("Task"),
    "step": N_("Step of a support plan"),
    "progress": N_("How far something is"),
    "file": N_("File"),
    "person": N_("Person"),
    "identity": N_("Name and identity"),
    "safe-contact": N_("Safe contact"),
    "where": N_("Address and support arrangements"),
    "exploitation": N_("What happened"),
    "health": N_("Health and needs"),
    "suspicion": N_("What is said of a suspect"),
    "share": N_("Shared"),
    "consent": N_("Consent"),
    "withdrawn": N_("Consent withdrawn"),
    "guest": N_("A guest was let in"),
    "guest-ended": N_("A guest has ended"),
    "correction": N_("Corrected"),
    "masking": N_("Hidden"),
    "unmasking": N_("Shown again"),
    "redaction": N_("Taken away"),
    "erased": N_("Erasure asked for"),
    "suspected": N_("File marked: it may show the abuse of a child"),
}
UNREAD = {
    "key": N_("Waits for its key. It opens by itself when that is here."),
    "author": N_("Waits for the key of whoever wrote it, by which we know that it is theirs."),
    "newer": N_("A newer program wrote this. It can be read when ours is as new."),
    "broken": N_("This is not as an entry has to be, or was changed on its way. It counts for nothing."),
    "erased": N_("Erased."),
    "stopped": N_("The consent that it was given on has ended."),
    "masked": N_("Hidden from everybody on this case, until that is undone."),
    "redacted": N_("Taken away for good."),
    "suspected": N_("Marked: it may show the abuse of a child. It is never opened, copied or handed out again."),
    "withheld": N_("Only for those who need to know this part. Ask somebody who does."),
}
WORDS: dict[str, Any] = {
    "KINDS": KINDS,
    "UNREAD": UNREAD,
    "METHODS": METHODS,
    "REACHED": REACHED,
    "PROGRESS": PROGRESS,
    "ROLES": ROLES,
    "PARTS": PARTS,
    "ORGANISATIONS": ORGANISATIONS,
    "SUPPORT": SUPPORT,
    "BASIS": LAWFUL_BASIS,
    "CONDITION": SPECIAL,
    "REASON": REFERRAL_REASON,
    "CASE_STATUS": CASE_STATUS,
}
