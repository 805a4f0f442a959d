"""Decides what the library hands to the house."""

from fedcollab.base.errors import N_
from fedcollab.feature import Feature

from . import notes_in, reading, receiving
from .catalogue import send_catalogue
from .drafts import forget_drafts
from .erased import ERASURES
from .found import STOCK
from .shelves import FEATURE as NAME
from .shelves import admit_partner, expel_partner

FEATURE = Feature(
    name=NAME,
    handlers=(*receiving.HANDLERS, *notes_in.HANDLERS),
    chores=(send_catalogue, forget_drafts),
    erasures=ERASURES,
    stock=STOCK,
    asked=reading.may_ask_about,
    holds=reading.holds,
    permission=N_("Library"),
    admits=admit_partner,
    expels=expel_partner,
)
