"""Decides what stories hand to the house."""

from aiohttp import web

from fedcollab.feature import Feature

from . import ending, views

FEATURE = Feature(
    name="stories",
    routes=(
        web.get("/stories", views.list_stories),
        web.get("/stories/new", views.new_story),
        web.post("/stories/new", views.new_story),
        web.get("/stories/{id}", views.show_story),
        web.get("/stories/{id}/edit", views.edit_story),
        web.post("/stories/{id}/edit", views.edit_story),
        web.post("/stories/{id}/check", views.check_story),
        web.get("/stories/{id}/renew", views.renew_story),
        web.post("/stories/{id}/renew", views.renew_story),
        web.post("/stories/{id}/code", views.new_code),
        web.get("/stories/{id}/withdraw", views.withdraw_story),
        web.post("/stories/{id}/withdraw", views.withdraw_story),
        web.get("/take-back", views.take_back),
        web.post("/take-back", views.take_back),
    ),
    chores=(ending.let_run_out,),
    erasures=ending.ERASURES,
)
