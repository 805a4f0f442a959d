"""Decides what sealed groups hand to the house: each module of pages lists its own routes."""

from fedcollab.access.viewer import INSIDE
from fedcollab.base.errors import N_
from fedcollab.feature import Feature, HomeNote, MenuItem

from . import ending, ending_pages, exporting, file_pages, listing, member_pages, on_record, pages

FEATURE = Feature(
    name="rooms",
    routes=(
        *listing.ROUTES,
        *ending_pages.ROUTES,
        *member_pages.ROUTES,
        *pages.ROUTES,
        *file_pages.ROUTES,
        *on_record.ROUTES,
        *exporting.ROUTES,
    ),
    menu=(MenuItem("/sealed", N_("Sealed groups"), "people", number=listing.count, own=True),),
    chores=(ending.end_due, ending.forget_gone),
    home=(
        HomeNote("rooms/at_home.html", INSIDE, listing.at_home, personal=True),
        HomeNote("rooms/end_soon.html", INSIDE, ending.soon, personal=True),
    ),
)
