"""Decides which kinds of entries there are, and reads them."""

from collections.abc import Mapping
from typing import Any

from fedcollab.sealing import entries

from .mending import Correction, Erased, Masking, Redaction, Suspected, Unmasking
from .people import Exploitation, Health, Identity, Person, SafeContact, Suspicion, Where
from .reading import document, entry_in
from .record import Closed, Entry, Hold, HoldLifted, Opened, StatusChanged, Terms
from .sharing import Consent, Share, Withdrawn
from .visiting import GuestIn, GuestOut
from .work import Contact, Decision, File, Message, Progress, Step, Task

__all__ = ["ALL", "document", "is_newer", "parse"]

ALL: tuple[type[Entry], ...] = (
    *(Opened, Terms, StatusChanged, Closed, Hold, HoldLifted),
    *(Message, Decision, Contact, Task, Step, Progress, File),
    *(Person, Identity, SafeContact, Where, Exploitation, Health, Suspicion),
    *(Share, Consent, Withdrawn, GuestIn, GuestOut),
    *(Correction, Masking, Unmasking, Redaction, Erased, Suspected),
)
KINDS = {kind.KIND: kind for kind in ALL}


def parse(content: object) -> Entry:
    """The entry that a sealed message holds. Raises BadRequest, without anything of the content, for all that is none."""
    return entry_in(content, KINDS)


def is_newer(content: Mapping[str, Any]) -> bool:
    """Whether what could not be read says of itself that a later program wrote it."""
    return entries.is_newer(content, KINDS)
