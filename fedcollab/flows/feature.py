"""Decides what the flows hand to the house."""

from aiohttp import web

from fedcollab.feature import RESOURCE, THREAD, Feature

from . import close_discussion, discuss_resource, guest_home, guest_joining, guest_pages, hand_over, referral_pages, referred

FEATURE = Feature(
    name="flows",
    routes=(
        web.get("/threads/{id}/to-library", close_discussion.close_discussion),
        web.post("/threads/{id}/to-library", close_discussion.close_discussion),
        web.get("/library/{id}/discuss", discuss_resource.discuss_resource),
        web.post("/library/{id}/discuss", discuss_resource.discuss_resource),
        *referral_pages.ROUTES,
        *hand_over.ROUTES,
        *guest_joining.ROUTES,
        *guest_home.ROUTES,
        *guest_pages.ROUTES,
    ),
    chores=(referred.end_unanswered,),
    beside=((RESOURCE, discuss_resource.of_resource), (THREAD, discuss_resource.of_thread)),
)
