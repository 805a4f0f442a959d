"""Decides what cases hand to the house: each module of pages lists its own routes."""

from fedcollab.access.viewer import CASEWORKER
from fedcollab.base.errors import N_
from fedcollab.feature import Feature, MenuItem

from . import listing, timeline

ROUTES = (*listing.ROUTES, *timeline.ROUTES)

FEATURE = Feature(name="cases", routes=ROUTES, menu=(MenuItem("/cases", N_("Cases"), "case", CASEWORKER, number=listing.count),))
