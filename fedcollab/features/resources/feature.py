"""Decides what the library hands to the house."""

from fedcollab.base.errors import N_
from fedcollab.feature import Feature

from . import models  # noqa: F401  # its tables
from .shelves import FEATURE as NAME
from .shelves import admit_partner, expel_partner

FEATURE = Feature(name=NAME, permission=N_("Library"), admits=admit_partner, expels=expel_partner)
