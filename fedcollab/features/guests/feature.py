"""Decides what guests hand to the house."""

from aiohttp import web

from fedcollab.access.viewer import GUEST
from fedcollab.base.errors import N_
from fedcollab.feature import Feature, MenuItem

from . import pages, service
from .allowed import HOME

FEATURE = Feature(
    name="guests",
    routes=(web.get(HOME, pages.show_home),),
    chores=(service.forget_late,),
    restored=(service.end_invitations,),
    menu=(MenuItem(HOME, N_("Your case"), "case", GUEST, also=("/cases",)),),
)
