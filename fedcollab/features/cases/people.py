"""Decides what is kept of a person in a case: a code and a role for all on the case, the rest in parts, each with its own need-to-know.

Fields follow HTCDS 2.0, see `words`. A part is replaced as a whole. `only` narrows a part further: to these people and organisations.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from fedcollab.base.errors import N_
from fedcollab.sealing.entries import Problem

from .fields import COUNTRIES, LANGUAGES, Code, Day, Flag, Line, Named, Several, Text, Uri, said
from .grounds import CRIMINAL, METHODS, ROLES
from .record import NOTE, TEXT, Standing
from .words import (
    AGES,
    CONTENT,
    DECIDED_BY,
    EXPLOITATION,
    GENDER,
    HANDLING,
    INDICATORS,
    LABOUR,
    MEANS,
    RECRUITMENT,
    RELATIONSHIP,
    SECTORS,
    SEXUAL,
    SOURCE,
    STATUS,
)

GROUND = N_("Choose on which ground data on a suspect may be kept here.")
WHICH_LAW = N_("Write which law, and which part of it.")


@dataclass(frozen=True, repr=False, kw_only=True)
class OfPerson(Standing):
    """What is said of one person of the case."""

    person: str = said(Named(), needed=True)

    def place(self) -> tuple[str, ...]:
        return (self.KIND, self.person)


@dataclass(frozen=True, repr=False, kw_only=True)
class Person(OfPerson):
    """Somebody in the case: a code and a role, which all on the case see, and no name. A suspect needs a ground of its own in law."""

    KIND = "person"
    role: str = said(Code(ROLES), needed=True)
    ground: str = said(Code(CRIMINAL))
    law: str = said(Text(NOTE))

    def problems(self) -> Iterator[Problem]:
        if self.role == "Suspect" and not self.ground:
            yield "ground", GROUND
        if self.role == "Suspect" and not self.law:
            yield "law", WHICH_LAW


@dataclass(frozen=True, repr=False, kw_only=True)
class Part(OfPerson):
    """A part of a person's record. `only` are the ids of people and organisations; where none is named, all who need to know this part."""

    only: tuple[str, ...] = said(Several(Uri(), 100))

    def place(self) -> tuple[str, ...]:
        return ("part", self.PART, self.person)


@dataclass(frozen=True, repr=False, kw_only=True)
class Identity(Part):
    """Who the person is."""

    KIND = PART = "identity"
    name: str = said(Line())
    also: tuple[str, ...] = said(Several(Line(), commas=True))
    born: str = said(Day())
    age: str = said(Code(AGES))
    gender: str = said(Code(GENDER))
    citizen: tuple[str, ...] = said(Several(COUNTRIES, commas=True))
    birth: str = said(COUNTRIES)
    languages: tuple[str, ...] = said(Several(LANGUAGES, commas=True))
    documents: str = said(Text(NOTE))
    notes: str = said(Text(TEXT))


@dataclass(frozen=True, repr=False, kw_only=True)
class SafeContact(Part):
    """How the person may be reached without danger: by what, at which number or address, when; and what never to do. `nobody` says that the
    person must not be contacted at all; `word` is what both sides say to know each other."""

    KIND = "safe-contact"
    PART = "contact"
    nobody: bool = said(Flag())
    methods: tuple[str, ...] = said(Several(Code(METHODS)))
    address: str = said(Text(NOTE))
    times: str = said(Text(NOTE))
    through: str = said(Text(NOTE))
    word: str = said(Line())
    language: str = said(LANGUAGES)
    never: str = said(Text(NOTE))

    def problems(self) -> Iterator[Problem]:
        if self.nobody and self.methods:
            yield "methods", N_("Either the person is never contacted, or in one of these ways.")
        if not self.nobody and not self.methods:
            yield "methods", N_("Choose how the person may be contacted, or that it never be done.")


@dataclass(frozen=True, repr=False, kw_only=True)
class Where(Part):
    """Where the person lives and who supports them there: for nobody but those directly involved."""

    KIND = PART = "where"
    address: str = said(Text(NOTE))
    country: str = said(COUNTRIES)
    arrangements: str = said(Text(TEXT))
    danger: str = said(Text(NOTE))


@dataclass(frozen=True, repr=False, kw_only=True)
class Exploitation(Part):
    """What happened to the person, in codes and in words."""

    KIND = PART = "exploitation"
    status: str = said(Code(STATUS))
    decided_by: str = said(Code(DECIDED_BY))
    types: tuple[str, ...] = said(Several(Code(EXPLOITATION)))
    sexual: tuple[str, ...] = said(Several(Code(SEXUAL)))
    means: tuple[str, ...] = said(Several(Code(MEANS)))
    recruitment: tuple[str, ...] = said(Several(Code(RECRUITMENT)))
    relationship: tuple[str, ...] = said(Several(Code(RELATIONSHIP)))
    sectors: tuple[str, ...] = said(Several(Code(SECTORS)))
    labour: tuple[str, ...] = said(Several(Code(LABOUR)))
    indicators: tuple[str, ...] = said(Several(Code(INDICATORS)))
    began: str = said(Day())
    ended: str = said(Day())
    countries: tuple[str, ...] = said(Several(COUNTRIES, commas=True))
    account: str = said(Text(TEXT))

    def problems(self) -> Iterator[Problem]:
        if self.began and self.ended and self.ended < self.began:
            yield "ended", N_("The end lies before the beginning.")


@dataclass(frozen=True, repr=False, kw_only=True)
class Health(Part):
    """What the person needs for body and mind."""

    KIND = PART = "health"
    urgent: str = said(Text(NOTE))
    conditions: str = said(Text(TEXT))
    medicines: str = said(Text(NOTE))
    needs: str = said(Text(TEXT))


@dataclass(frozen=True, repr=False, kw_only=True)
class Suspicion(Part):
    """One thing said of a suspect: the fact, the source with its grade, and apart from both what somebody makes of it. It stands on a
    ground of its own. `code` keeps several of one suspect apart; it is a code like a person's."""

    KIND = PART = "suspicion"
    code: str = said(Named(), needed=True)
    ground: str = said(Code(CRIMINAL), needed=True)
    law: str = said(Text(NOTE), needed=True)
    fact: str = said(Text(TEXT))
    source: str = said(Text(NOTE))
    reliability: str = said(Code(SOURCE))
    content: str = said(Code(CONTENT))
    handling: str = said(Code(HANDLING))
    opinion: str = said(Text(TEXT))

    def place(self) -> tuple[str, ...]:
        return (*super().place(), self.code)

    def problems(self) -> Iterator[Problem]:
        if not self.fact and not self.opinion:
            yield "fact", N_("Write what is known, or in its own field what you make of it.")
        if self.fact and not self.source:
            yield "source", N_("Write where this is known from.")
        if self.fact and not (self.reliability and self.content and self.handling):
            yield "reliability", N_("Grade the source and what it says, and choose how it may be handled.")
