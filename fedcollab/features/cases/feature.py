"""Decides what cases hand to the house: each module of pages lists its own routes."""

from fedcollab.access.viewer import CASEWORKER
from fedcollab.base.errors import N_
from fedcollab.feature import Feature, MenuItem

from . import (
    access_pages,
    act_pages,
    answering,
    beginning,
    entry_pages,
    exporting,
    file_pages,
    gone_pages,
    inviting,
    lateness,
    listing,
    need_pages,
    on_record,
    people_pages,
    tasks,
    timeline,
    weekly,
)

ROUTES = (
    *listing.ROUTES,
    *weekly.ROUTES,
    *beginning.ROUTES,
    *timeline.ROUTES,
    *tasks.ROUTES,
    *file_pages.ROUTES,
    *access_pages.ROUTES,
    *inviting.ROUTES,
    *answering.ROUTES,
    *on_record.ROUTES,
    *exporting.ROUTES,
    *entry_pages.ROUTES,
    *people_pages.ROUTES,
    *need_pages.ROUTES,
    *gone_pages.ROUTES,
    *act_pages.ROUTES,
)

FEATURE = Feature(
    name="cases",
    routes=ROUTES,
    chores=(lateness.mark,),
    home=(weekly.NOTE,),
    menu=(MenuItem("/cases", N_("Cases"), "case", CASEWORKER, number=listing.count),),
)
