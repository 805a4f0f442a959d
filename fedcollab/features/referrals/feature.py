"""Decides what referrals hand to the house."""

from fedcollab.access.viewer import CASEWORKER, KEEPER
from fedcollab.base.errors import N_
from fedcollab.feature import Feature, HomeNote, MenuItem

from . import chores, erased, fetching, looking, outside, receiving, service, views

HOME = "referrals/at_home.html"

FEATURE = Feature(
    name="referrals",
    routes=(*views.ROUTES, *fetching.ROUTES),
    handlers=receiving.HANDLERS,
    chores=(chores.mark_late,),
    namings=(service.NAMED_IN_RING,),
    restored=(outside.shut_links,),
    erasures=erased.ERASURES,
    menu=(MenuItem("/referrals", N_("Referrals"), "people", CASEWORKER, number=looking.count, own=True),),
    home=(HomeNote(HOME, CASEWORKER, looking.at_home, personal=True, or_role=KEEPER),),
)
