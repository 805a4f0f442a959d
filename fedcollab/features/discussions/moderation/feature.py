"""Decides what moderation hands to the house."""

from aiohttp import web

from fedcollab.access.viewer import MODERATOR, Viewer
from fedcollab.base.errors import N_
from fedcollab.base.session import Session
from fedcollab.feature import MenuItem

from . import inbound, late, receiving, records, reporting, views

ROUTES = (
    web.get("/posts/{id}/report", reporting.report),
    web.post("/posts/{id}/report", reporting.report),
    web.get("/reports", reporting.show_reports),
    web.post("/reports/read", reporting.read_notices),
    web.get("/settings/muted", reporting.show_muted),
    web.post("/settings/muted", reporting.change_muted),
    web.get("/threads/{id}/log", views.show_log),
    web.get("/moderation", views.show_queue),
    web.post("/moderation/{id}", views.answer_reports),
    web.get("/posts/{id}/moderate", views.moderate_post),
    web.post("/posts/{id}/moderate", views.moderate_post),
    web.get("/threads/{id}/moderate", views.moderate_thread),
    web.post("/threads/{id}/moderate", views.moderate_thread),
)
HANDLERS = receiving.HANDLERS + inbound.HANDLERS + late.HANDLERS


def waiting(session: Session, viewer: Viewer) -> int:
    """How many posts wait for our moderators."""
    return records.open_posts(session, viewer.organisation_id)


MENU = (MenuItem("/moderation", N_("Reports"), "bell", role=MODERATOR, number=waiting),)
