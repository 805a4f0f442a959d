"""Decides the entries of who was given what: shares, each with its ground, and consents, each for one recipient."""

from collections.abc import Iterator
from dataclasses import dataclass

from fedcollab.base.errors import N_
from fedcollab.sealing.entries import Problem

from .fields import COUNTRIES, Code, Day, Line, Named, Several, Text, Uri, said
from .grounds import CAPACITY, DECIDERS, HOW_CONSENTED, LAWFUL_BASIS, PARTS, TRANSFER, WITHOUT_CONSENT
from .record import LAW, NOTE, Entry

RECIPIENT = N_("Name one recipient: an organisation or person here, or another by name.")
WHICH_LAW = N_("Write which law, and which part of it.")


@dataclass(frozen=True, repr=False, kw_only=True)
class _ToOne(Entry):
    """What is for one recipient: the id of an organisation or a person, or the name of one that has none."""

    to: str = said(Uri())
    to_name: str = said(Line())
    what: str = said(Text(NOTE), needed=True)
    parts: tuple[str, ...] = said(Several(Code(PARTS)))

    def problems(self) -> Iterator[Problem]:
        if bool(self.to) == bool(self.to_name):
            yield "to", RECIPIENT


@dataclass(frozen=True, repr=False, kw_only=True)
class Share(_ToOne):
    """What was shared with one recipient, and why: on which lawful basis; with the consent, named by its entry, or the reason for
    sharing without it; out of which country into which, and where these differ on which transfer ground."""

    KIND = "share"
    people: tuple[str, ...] = said(Several(Named()))
    why: str = said(Text(NOTE), needed=True)
    basis: str = said(Code(LAWFUL_BASIS), needed=True)
    consent: tuple[str, ...] = said(Several(Uri()))
    without: str = said(Code(WITHOUT_CONSENT))
    without_why: str = said(Text(NOTE))
    out_of: str = said(COUNTRIES, needed=True)
    into: str = said(COUNTRIES, needed=True)
    transfer: str = said(Code(TRANSFER))
    transfer_law: str = said(Text(NOTE))

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if bool(self.consent) == bool(self.without):
            yield "consent", N_("Choose the consent that this is shared with, or the reason for sharing without it.")
        if self.without and not self.without_why:
            yield "without_why", N_("Write why this is shared without consent.")
        if (self.out_of != self.into) != bool(self.transfer):
            yield "transfer", N_("It goes to another country: choose on which ground. Within one country, choose none.")
        if self.transfer == LAW and not self.transfer_law:
            yield "transfer_law", WHICH_LAW


@dataclass(frozen=True, repr=False, kw_only=True)
class Consent(_ToOne):
    """What a person agreed to share, with one recipient, until the end of a day; how it was given and whether the person can decide it.
    For a child or somebody who cannot decide at present: who did, on which right, and what the person says to it. It is permission, and
    no lawful basis. `renews` names an earlier one, which this carries on."""

    KIND = "consent"
    person: str = said(Named(), needed=True)
    until: str = said(Day(), needed=True)
    how: str = said(Code(HOW_CONSENTED), needed=True)
    capacity: str = said(Code(CAPACITY), needed=True)
    decided_by: str = said(Code(DECIDERS), needed=True)
    decider: str = said(Text(NOTE))
    own_view: str = said(Text(NOTE))
    renews: str = said(Uri())

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if self.capacity == "WithoutCapacity" and self.decided_by == "Self":
            yield "decided_by", N_("Choose who decided for the person.")
        if self.capacity == "Adult" and self.decided_by != "Self":
            yield "decided_by", N_("An adult decides for themselves. Choose the person, or that they cannot decide this at present.")
        if self.capacity != "Adult" and not self.decider:
            yield "decider", N_("Write who decided, and with what right.")


@dataclass(frozen=True, repr=False, kw_only=True)
class Withdrawn(Entry):
    """A consent, named by its entry, is withdrawn. Nobody has to say why."""

    KIND = "withdrawn"
    of: str = said(Uri(), needed=True)
    how: str = said(Code(HOW_CONSENTED))
