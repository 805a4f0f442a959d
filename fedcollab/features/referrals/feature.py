"""Decides what referrals hand to the house."""

from fedcollab.feature import Feature

from . import chores, fetching, receiving, service

FEATURE = Feature(
    name="referrals",
    routes=fetching.ROUTES,
    handlers=receiving.HANDLERS,
    chores=(chores.mark_late,),
    namings=(service.NAMED_IN_RING,),
)
