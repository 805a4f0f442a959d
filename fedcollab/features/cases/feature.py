"""Decides what cases hand to the house: each module of pages lists its own routes."""

from fedcollab.access.viewer import CASEWORKER, KEEPER
from fedcollab.base.errors import N_
from fedcollab.feature import Feature, HomeNote, MenuItem

from . import (
    access_pages,
    act_pages,
    adding,
    answering,
    beginning,
    ending,
    ending_pages,
    entry_pages,
    erasing,
    exporting,
    file_pages,
    gone_pages,
    inviting,
    lateness,
    listing,
    need_pages,
    on_record,
    people_pages,
    put_on,
    subject_pages,
    tasks,
    timeline,
    weekly,
)

ROUTES = (
    *listing.ROUTES,
    *weekly.ROUTES,
    *ending_pages.ROUTES,
    *beginning.ROUTES,
    *timeline.ROUTES,
    *adding.ROUTES,
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
    *erasing.ROUTES,
    *subject_pages.ROUTES,
)

FEATURE = Feature(
    name="cases",
    routes=ROUTES,
    chores=(lateness.mark, ending.end_due, ending.forget_gone),
    home=(put_on.NOTE, weekly.NOTE, lateness.NOTE, HomeNote("cases/at_home.html", CASEWORKER, ending.soon, personal=True, or_role=KEEPER)),
    menu=(MenuItem("/cases", N_("Cases"), "case", CASEWORKER, number=listing.count, own=True),),
)
