"""Decides what the fields of a case's entries may hold: those of all sealed entries, and the code by which a person is called."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fedcollab.base.errors import N_
from fedcollab.sealing.fields import (
    CLOCK,
    COUNTRIES,
    LANGUAGES,
    Code,
    Day,
    Flag,
    Line,
    Pattern,
    Secret,
    Several,
    Spec,
    Text,
    Uri,
    first,
    said,
)

from . import codes

__all__ = [
    "CLOCK",
    "COUNTRIES",
    "LANGUAGES",
    "Code",
    "Day",
    "Flag",
    "Line",
    "Named",
    "Pattern",
    "Secret",
    "Several",
    "Spec",
    "Text",
    "Uri",
    "said",
]


@dataclass(frozen=True)
class Named(Pattern):
    """The code by which a person is called in the case."""

    looks: re.Pattern[str] = codes.CODE
    wrong: str = N_("Choose one of the people of this case.")

    def typed(self, values: Sequence[str]) -> str:
        return codes.read(first(values)) or super().typed(values)
