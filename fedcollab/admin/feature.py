"""Decides what the admin's room hands to the house."""

from aiohttp import web

from fedcollab.backup.erasures import Part
from fedcollab.base.errors import N_
from fedcollab.feature import Feature, MenuItem
from fedcollab.federation import offers
from fedcollab.federation.queue import attention

from . import first, members, partner_page, partners, queue, record, restored, settings, views

FEATURE = Feature(
    name="admin",
    routes=(
        web.get("/admin/members", members.members),
        web.post("/admin/members/invite", members.invite),
        web.post("/admin/members/{id}/link", members.make_link),
        web.post("/admin/members/{id}/roles", members.set_roles),
        web.post("/admin/members/{id}/disable", members.disable),
        web.get("/admin/members/{id}/factor", members.ask_reset),
        web.post("/admin/members/{id}/factor", members.reset_factor),
        web.get("/admin/partners", views.show_partners),
        web.post("/admin/partners", views.add_partner),
        web.get("/admin/partners/{id}", partner_page.show_partner),
        web.post("/admin/partners/{id}", partner_page.change_partner),
        web.get("/admin/federation", queue.show_queue),
        web.post("/admin/federation", queue.act),
        *record.ROUTES,
        *settings.ROUTES,
        *first.ROUTES,
        *restored.ROUTES,
    ),
    erasures=Part("partners", partners.ended_since, partners.end_again),
    restored=(restored.remember,),
    home=(restored.NOTE, first.NOTE),
    menu=(
        MenuItem("/admin/members", N_("Members"), "people", role="admin"),
        MenuItem("/admin/partners", N_("Partners"), "node", role="admin", number=offers.attention),
        MenuItem("/admin/federation", N_("Deliveries"), "wait", role="admin", number=attention),
        MenuItem("/admin/audit", N_("Record"), "list", role="admin"),
        MenuItem("/admin/settings", N_("Node"), "file", role="admin", also=("/admin/first", "/admin/restored")),
    ),
)
