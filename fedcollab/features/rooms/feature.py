"""Decides what sealed groups hand to the house: each module of pages lists its own routes."""

from fedcollab.access.viewer import INSIDE
from fedcollab.base.errors import N_
from fedcollab.feature import Feature, HomeNote, MenuItem

from . import listing, member_pages, pages

FEATURE = Feature(
    name="rooms",
    routes=(*listing.ROUTES, *member_pages.ROUTES, *pages.ROUTES),
    menu=(MenuItem("/sealed", N_("Sealed groups"), "people", number=listing.count, own=True),),
    home=(HomeNote("rooms/at_home.html", INSIDE, listing.at_home, personal=True),),
)
