"""Decides the entries of daily work: messages, decisions, contacts, tasks, steps of the support plan, files."""

from collections.abc import Iterator
from dataclasses import dataclass

from fedcollab.base.errors import N_
from fedcollab.sealing.chunks import FileSecret
from fedcollab.sealing.entries import Problem

from .fields import CLOCK, Code, Day, Line, Named, Secret, Several, Text, Uri, said
from .grounds import METHODS, PARTS, PROGRESS, REACHED
from .record import NOTE, TEXT, Entry, Standing
from .words import SUPPORT

PERSON = N_("Choose the person whom it is about.")


@dataclass(frozen=True, repr=False, kw_only=True)
class Message(Entry):
    """What somebody writes to the others on the case."""

    KIND = "message"
    text: str = said(Text(TEXT), needed=True)


@dataclass(frozen=True, repr=False, kw_only=True)
class Decision(Entry):
    """What was decided, why, and by whom."""

    KIND = "decision"
    what: str = said(Text(TEXT), needed=True)
    why: str = said(Text(TEXT), needed=True)
    who: tuple[str, ...] = said(Several(Line(), commas=True), needed=True)


@dataclass(frozen=True, repr=False, kw_only=True)
class Contact(Entry):
    """A contact, or a try: with whom, how, on which day and at what time there, what came of it."""

    KIND = "contact"
    who: str = said(Line(), needed=True)
    people: tuple[str, ...] = said(Several(Named()))
    how: str = said(Code(METHODS), needed=True)
    on: str = said(Day(), needed=True)
    time: str = said(CLOCK)
    reached: str = said(Code(REACHED), needed=True)
    outcome: str = said(Text(TEXT))


@dataclass(frozen=True, repr=False, kw_only=True)
class Task(Entry):
    """What is to be done, whose it is (a person's id; nobody's yet where empty), and the day by which it is due."""

    KIND = "task"
    what: str = said(Text(NOTE), needed=True)
    owner: str = said(Uri())
    due: str = said(Day())


@dataclass(frozen=True, repr=False, kw_only=True)
class Step(Entry):
    """A step of the support plan of a person: which support, by whom (as people say it), until when."""

    KIND = "step"
    person: str = said(Named(), needed=True)
    support: str = said(Code(SUPPORT), needed=True)
    what: str = said(Text(NOTE), needed=True)
    by: str = said(Line())
    owner: str = said(Uri())
    due: str = said(Day())


@dataclass(frozen=True, repr=False, kw_only=True)
class Progress(Standing):
    """How far a task or a step is, which its entry names."""

    KIND = "progress"
    of: str = said(Uri(), needed=True)
    state: str = said(Code(PROGRESS), needed=True)
    note: str = said(Text(NOTE))

    def place(self) -> tuple[str, ...]:
        return (self.KIND, self.of)


@dataclass(frozen=True, repr=False, kw_only=True)
class File(Entry):
    """A sealed file: where its bytes lie, its name, its type as it was looked at, what opens it. With a part of a person's record it is
    seen by those alone who need to know that part."""

    KIND = "file"
    uri: str = said(Uri(), needed=True)
    name: str = said(Line(), needed=True)
    media: str = said(Line())
    secret: FileSecret | None = said(Secret(), needed=True)
    about: str = said(Text(NOTE))
    person: str = said(Named())
    part: str = said(Code(PARTS))

    def problems(self) -> Iterator[Problem]:
        if self.part and not self.person:
            yield "person", PERSON


ALONE = (Message, Decision, Contact)  # most of what is said: nothing of another entry, and no place that another one could take
