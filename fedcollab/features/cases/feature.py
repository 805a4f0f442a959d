"""Decides what cases hand to the house: each module of pages lists its own routes."""

from fedcollab.access.viewer import CASEWORKER
from fedcollab.base.errors import N_
from fedcollab.feature import Feature, MenuItem

from . import listing, on_record, timeline

ROUTES = (*listing.ROUTES, *timeline.ROUTES, *on_record.ROUTES)

FEATURE = Feature(name="cases", routes=ROUTES, menu=(MenuItem("/cases", N_("Cases"), "case", CASEWORKER, number=listing.count),))
