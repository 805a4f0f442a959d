"""Decides what guests hand to the house."""

from fedcollab.access.viewer import GUEST
from fedcollab.base.errors import N_
from fedcollab.feature import Feature, MenuItem

from . import service
from .allowed import HOME

FEATURE = Feature(
    name="guests",
    chores=(service.forget_late,),
    restored=(service.end_invitations,),
    menu=(MenuItem(HOME, N_("Your case"), "case", GUEST, also=("/cases",)),),
)
