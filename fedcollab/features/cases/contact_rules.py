"""Decides what speaks against a contact with somebody: a rule of theirs, or that their rules are not for whoever asks."""

from collections.abc import Sequence
from dataclasses import dataclass

from fedcollab.base.errors import N_

from .checking import Wrong
from .people import SafeContact
from .shown import WITHHELD, Case, PartShown
from .work import Contact

CONTACT = "contact"  # the part
NOBODY = N_(
    "%(code)s is to be contacted by nobody. If you are about to, don’t: speak with the others on this case first. If it has happened, "
    "say so below, and it is kept."
)
OTHERWISE = N_(
    "The rules of %(code)s don’t name this way of contact. If you are about to use it, don’t. If it has happened, say so below, and it "
    "is kept."
)
UNSEEN = N_(
    "There are rules for contact with %(code)s which are not for you to read so far. Before a contact ask somebody who knows them. If it "
    "has happened, say so below, and it is kept."
)
ASKED = (NOBODY, OTHERWISE, UNSEEN)


@dataclass(frozen=True, repr=False)
class Rules:
    """How one person may be contacted: what stands, several where people wrote at the same time; `withheld` that there are rules which
    whoever looks may not read."""

    code: str
    entries: tuple[SafeContact, ...]
    withheld: bool

    @property
    def nobody(self) -> bool:
        return any(entry.nobody for entry in self.entries)


def rules(case: Case) -> list[Rules]:
    """Of all people for whom there are any."""
    unread = {shown.id for shown in case.timeline if shown.state == WITHHELD}
    parts = [(person.code, part) for person in case.people for part in person.parts if part.part == CONTACT]
    found = [Rules(code, _entries(part), not unread.isdisjoint(part.ids)) for code, part in parts]
    return [one for one in found if one.entries or one.withheld]


def _entries(part: PartShown) -> tuple[SafeContact, ...]:
    return tuple(one for one in part.entries if isinstance(one, SafeContact))


def check(contact: Contact, case: Case) -> None:
    """Raises Wrong where a rule speaks against it: then it is asked once more whether it was so. Of several rules that stand side by side
    each counts; whoever was not chosen but named by their code counts as chosen."""
    for rule in rules(case):
        meant = rule.code in contact.people or rule.code in contact.who.casefold()
        if meant and (text := _against(rule, contact.how)):
            raise Wrong("people", text, code=rule.code)


def _against(rule: Rules, how: str) -> str:
    if rule.nobody:
        return NOBODY
    if rule.withheld:
        return UNSEEN
    return OTHERWISE if any(how not in entry.methods for entry in rule.entries) else ""


def first(found: Sequence[Rules], code: str) -> list[Rules]:
    """The rules of whoever was chosen alone, of all where nobody was."""
    return [one for one in found if one.code == code] if code else list(found)
