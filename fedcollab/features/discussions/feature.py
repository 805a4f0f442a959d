"""Decides what discussions hand to the house."""

from aiohttp import web

from fedcollab.base.errors import N_
from fedcollab.feature import Feature, MenuItem

from . import attaching, composing, paging, reading, thanks, views
from .clients import TAKERS, arrivals
from .drafts import forget_drafts
from .erased import ERASURES
from .finding import STOCK
from .groups import admit_partner, expel_partner, renew_lists
from .moderation.feature import HANDLERS as MODERATION
from .moderation.feature import MENU, ROUTES
from .receiving import HANDLERS

FEATURE = Feature(
    name="discussions",
    routes=(
        web.get("/", views.home),
        web.get("/groups", views.list_groups),
        web.get("/groups/new", views.new_group),
        web.post("/groups/new", views.new_group),
        web.get("/groups/{id}", views.show_group),
        web.post("/groups/{id}/narrow", views.narrow_group),
        web.get("/groups/{id}/new", composing.compose),
        web.post("/groups/{id}/new", composing.post_thread),
        web.get("/threads/{id}", views.show_thread),
        web.post("/threads/{id}", composing.post_reply),
        web.post("/preview/{id}", composing.preview),
        web.post("/keep/{id}", composing.keep),
        web.get("/attach/{id}", composing.attach),
        web.get("/posts/{id}", views.show_post),
        web.get("/posts/{id}/edit", composing.edit_post),
        web.post("/posts/{id}/edit", composing.edit_post),
        web.get("/posts/{id}/delete", composing.delete_post),
        web.post("/posts/{id}/delete", composing.delete_post),
        web.get("/posts/{id}/history", views.history),
        web.post("/posts/{id}/thank", composing.thank_post),
        *paging.ROUTES,
        *ROUTES,
    ),
    handlers=(*HANDLERS, *thanks.HANDLERS, *MODERATION),
    chores=(renew_lists, forget_drafts),
    erasures=ERASURES,
    outbox=TAKERS,
    arrivals=(arrivals,),
    asked=reading.may_ask_about,
    menu=(MenuItem("/", N_("Home"), "home"), MenuItem("/groups", N_("Discuss"), "talk", also=("/threads/", "/posts/")), *MENU),
    permission=N_("Discussions"),
    admits=admit_partner,
    expels=expel_partner,
    stock=STOCK,
    holds=attaching.holds,
)
