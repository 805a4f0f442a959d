"""Decides what the other organisation sees before it answers: codes and one coarse place, nothing that tells who somebody is; and with what
permission it is shown."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fedcollab.base import called
from fedcollab.base.errors import BadRequest, N_
from fedcollab.base.markup import plain
from fedcollab.base.sector import AGES, LAWFUL_BASIS, REFERRAL_REASON, SUPPORT, TRANSFER, WITHOUT_CONSENT
from fedcollab.sealing.reading import members

VERSION = 1
REGION, LANGUAGES = 80, 10  # letters; how many
URGENCY = {
    "Today": N_("Today"),
    "Days": N_("Within days"),
    "Weeks": N_("Within weeks"),
    "NoHurry": N_("No hurry"),
}
COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
COMMA = re.compile("[,;،؛]")
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2}", re.ASCII)
CODES = {"reason": REFERRAL_REASON, "urgency": URGENCY, "age": AGES, "basis": LAWFUL_BASIS}
MAYBE = {"without": WITHOUT_CONSENT, "transfer": TRANSFER}  # empty: with consent; within one country
Problem = tuple[str, str]  # the field, and in words what is wrong with it


@dataclass(frozen=True, repr=False, kw_only=True)
class Preview:
    """Why somebody is referred, for which support, how soon, of which age and languages, and where: the country, and the region as coarse
    as will do. With it the permission: the lawful basis, why without consent (empty: with it), out of which country into which, and on
    which ground where these differ."""

    reason: str = ""
    support: tuple[str, ...] = ()
    urgency: str = ""
    age: str = ""
    languages: tuple[str, ...] = ()
    country: str = ""
    region: str = ""
    basis: str = ""
    without: str = ""
    out_of: str = ""
    into: str = ""
    transfer: str = ""

    def document(self) -> dict[str, Any]:
        """As it is sealed; what is empty is left out."""
        values = {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}
        return {"v": VERSION} | {name: value for name, value in values.items() if value}

    def problems(self) -> Iterator[Problem]:
        """What is missing or wrong, none where it can be sent."""
        for name, text in WORDS.items():
            if not getattr(self, name):
                yield name, text
        if (self.out_of != self.into) != bool(self.transfer):
            yield "transfer", N_("Choose on which ground this goes to another country, and only where it does.")


WORDS = {
    "reason": N_("Choose why the person is referred."),
    "support": N_("Choose at least one kind of support."),
    "urgency": N_("Choose how soon help is needed."),
    "age": N_("Choose the age, or that it is not known."),
    "country": N_("Write the country, by its name or its code of two letters."),
    "basis": N_("Choose the lawful basis."),
    "out_of": N_("Choose the country that this is shared from."),
    "into": N_("Choose the country that this goes to."),
}


def read(document: object) -> Preview:
    """A preview as it was sealed elsewhere. Raises BadRequest, which says nothing of it, for anything that `document` would not have
    written."""
    said = members(document, {"v", "reason", "support", "urgency", "age", "country", "basis", "out_of", "into"}, MAY)
    made = Preview(**{name: _value(name, value) for name, value in said.items() if name != "v"})
    if said["v"] != VERSION or list(made.problems()) or made.document() != dict(said):
        raise _no("a preview that cannot be sent")
    return made


MAY = frozenset({"languages", "region", "without", "transfer"})


def _value(name: str, value: object) -> Any:
    many = name in ("support", "languages")
    found = value if many else [value]
    if not isinstance(found, list) or len(found) > LANGUAGES or not all(isinstance(one, str) and _fits(name, one) for one in found):
        raise _no("no such value")
    return tuple(found) if many else found[0]


def _fits(name: str, value: str) -> bool:
    if name in CODES or name in MAYBE:
        return value in (CODES.get(name) or MAYBE[name])
    if name == "support":
        return value in SUPPORT
    if name == "languages":
        return LANGUAGE.fullmatch(value) is not None
    if name == "region":
        return bool(value) and plain(value, REGION) == value
    return COUNTRY.fullmatch(value) is not None


def typed(fields: Mapping[str, Sequence[str]]) -> tuple[Preview, dict[str, str]]:
    """What a form brings; (the preview as far as it goes, what is wrong with which field)."""
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name in vars(Preview()):
        found = [plain(one, REGION) for one in fields.get(name, ()) if one.strip()]
        if name in ("country", "out_of", "into"):
            found = [called.country(one) or one for one in found]
        if name == "languages":
            parts = [part.strip() for one in found for part in COMMA.split(one) if part.strip()]
            found = [called.language(part) or part for part in parts][:LANGUAGES]
        kept = tuple(dict.fromkeys(one for one in found if _fits(name, one)))
        if len(kept) < len(dict.fromkeys(found)):
            errors[name] = WRONG.get(name, N_("Choose one of the list."))
        values[name] = kept if name in ("support", "languages") else next(iter(kept), "")
    made = Preview(**values)
    return made, dict(made.problems()) | errors


WRONG = {
    **dict.fromkeys(("country", "out_of", "into"), N_("Write the country, by its name or its code of two letters.")),
    "languages": N_("Write each language by its name or its code, with commas between them."),
}


def _no(what: str) -> BadRequest:
    return BadRequest(reason=f"referral: {what}")
