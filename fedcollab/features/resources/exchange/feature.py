"""Decides what in and out hand to the library."""

from aiohttp import web

from . import exporting, feed, oai, views
from .importing import go_on

ROUTES = (
    *views.ROUTES,
    web.get("/library/export", exporting.export),
    web.get("/library/feed", feed.show_feed),
    web.get("/oai", oai.answer),
    web.post("/oai", oai.answer),
)
CHORES = (go_on,)
