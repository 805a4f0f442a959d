"""Decides what sealed groups hand to the house: each module of pages lists its own routes."""

from fedcollab.access.viewer import INSIDE
from fedcollab.base.errors import N_
from fedcollab.feature import Feature, HomeNote, MenuItem

from . import file_pages, listing, member_pages, pages

FEATURE = Feature(
    name="rooms",
    routes=(*listing.ROUTES, *member_pages.ROUTES, *pages.ROUTES, *file_pages.ROUTES),
    menu=(MenuItem("/sealed", N_("Sealed groups"), "people", number=listing.count, own=True),),
    home=(HomeNote("rooms/at_home.html", INSIDE, listing.at_home, personal=True),),
)
