"""Decides what searching hands to the house."""

from aiohttp import web

from fedcollab.feature import Feature

from .views import show_search

FEATURE = Feature(name="searching", routes=(web.get("/search", show_search),))
