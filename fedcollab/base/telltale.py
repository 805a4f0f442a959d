"""Decides what in a text may tell who somebody is: numbers, names, dates and places, marked for a person who then looks.

It finds forms, not meanings: a text without a mark can still give somebody away, which the pages say."""

import re
from typing import NamedTuple

PHONE, MAIL, PAPER, ADDRESS, DATE, NAME, PLACE = "phone", "mail", "paper", "address", "date", "name", "place"
LONGEST = 100_000  # characters that are looked at

_STREET = r"(?:street|st\.|road|rd\.|avenue|lane|rue|boulevard|calle|avenida|carrer|via|straße|strasse|شارع|طريق)"
_MONTH = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|janv|févr|mars|avr|mai|juin|juil|août|ene|abr|ago|dic"
    r"|يناير|فبراير|مارس|أبريل|مايو|يونيو|يوليو|أغسطس|سبتمبر|أكتوبر|نوفمبر|ديسمبر)[^\W\d_]*\.?"
)
_CAPITAL = r"[A-ZÀ-ÖØ-ÞĀ-ŽА-ЯЁ][^\W\d_]+"
# In this order: what one has taken, the next ones leave alone.
_FORMS = (
    (MAIL, re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")),
    (ADDRESS, re.compile(r"https?://\S{1,500}|(?<![\w/])@\w[\w.]{2,40}", re.IGNORECASE)),
    (PLACE, re.compile(r"-?\d{1,3}[.,]\d{3,8}°?\s?[NS]?\s{0,2}[,;/]\s{0,2}-?\d{1,3}[.,]\d{3,8}°?\s?[EWO]?")),
    (DATE, re.compile(rf"\d{{1,2}}(?:st|nd|rd|th|er|\.)?\s(?:de\s)?{_MONTH}(?:\s(?:de\s)?\d{{4}})?", re.IGNORECASE)),
    (DATE, re.compile(r"(?<!\d)(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})(?!\d)")),
    (PAPER, re.compile(r"(?<!\w)[A-Z]{1,3}[ -]?\d{6,9}(?!\w)")),
    (PHONE, re.compile(r"(?<![\w.])\+?\(?\d(?:[ ()./-]{0,2}\d){6,14}(?!\w)")),
    (PLACE, re.compile(rf"(?:\d{{1,4}},?\s{_CAPITAL}\s{_STREET}|{_STREET}\s(?:[^\W\d_]+\s){{0,4}}\d{{1,4}})", re.IGNORECASE)),
    (NAME, re.compile(rf"(?<![.!?:\n]\s)(?<!^)(?<!\w){_CAPITAL}(?:\s(?:de|van|von|bin|al-|el-)?\s?{_CAPITAL})+")),
)


class Mark(NamedTuple):
    """One place of a text, `start` to `end`, and what it looks like."""

    start: int
    end: int
    kind: str


def find(text: str) -> list[Mark]:
    """What looks like a telephone number, an address of mail or web, the number of a paper, a day, a place, a name: in the order of the
    text, none over another."""
    looked, marks = text[:LONGEST], list[Mark]()
    for kind, form in _FORMS:
        for found in form.finditer(looked):
            marks.append(Mark(found.start(), found.end(), kind))
            looked = looked[: found.start()] + "\0" * (found.end() - found.start()) + looked[found.end() :]
    return sorted(marks)
