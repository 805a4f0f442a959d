"""Decides what discussions hand to the house."""

from aiohttp import web

from fedcollab.base.errors import N_
from fedcollab.feature import Feature, MenuItem

from . import views
from .groups import renew_lists
from .receiving import HANDLERS

FEATURE = Feature(
    name="discussions",
    routes=(
        web.get("/", views.home),
        web.get("/groups", views.list_groups),
        web.get("/groups/new", views.new_group),
        web.post("/groups/new", views.new_group),
        web.get("/groups/{id}", views.show_group),
        web.get("/groups/{id}/new", views.compose),
        web.post("/groups/{id}/new", views.post_thread),
        web.get("/threads/{id}", views.show_thread),
        web.post("/threads/{id}", views.post_reply),
        web.post("/preview", views.preview),
        web.get("/posts/{id}", views.show_post),
        web.get("/posts/{id}/edit", views.edit_post),
        web.post("/posts/{id}/edit", views.edit_post),
        web.get("/posts/{id}/delete", views.delete_post),
        web.post("/posts/{id}/delete", views.delete_post),
        web.get("/posts/{id}/history", views.history),
    ),
    handlers=HANDLERS,
    chores=(renew_lists,),
    menu=(MenuItem("/", N_("Home"), "home"), MenuItem("/groups", N_("Discuss"), "talk")),
)
