"""Decides what keeping hands to the house."""

from aiohttp import web

from fedcollab.access.viewer import KEEPER
from fedcollab.backup.erasures import Part
from fedcollab.base.errors import N_
from fedcollab.feature import Feature, HomeNote, MenuItem
from fedcollab.sealing import keepers

from . import service, task_pages, views

FEATURE = Feature(
    name="keeping",
    routes=(
        web.get("/keepers", views.show_keepers),
        web.post("/keepers", views.name_keeper),
        web.post("/keepers/{id}/hand", views.hand_key),
        web.post("/keepers/{id}/remove", views.remove_keeper),
        web.get("/keepers/set-up", views.show_set_up),
        web.get("/keepers/set-up/{step}", views.show_step),
        web.post("/keepers/set-up/keys", views.make_keys),
        web.post("/keepers/set-up/sheets", views.make_sheets),
        web.post("/keepers/set-up/try", views.try_sheets),
        web.get("/keepers/tasks", task_pages.show_tasks),
        web.post("/keepers/tasks/{id}", task_pages.do_task),
        web.get("/keepers/rooms/{id}", task_pages.show_room),
        web.post("/keepers/rooms/{id}", task_pages.mend),
        web.get("/keepers/sheets/use", views.show_use),
        web.post("/keepers/sheets/use", views.use_sheets),
    ),
    menu=(MenuItem("/keepers", N_("Keepers"), "lock", KEEPER),),
    erasures=Part("keepers", keepers.removed_since, keepers.remove_again),
    home=(HomeNote("keeping/at_home.html", KEEPER, service.at_home),),
)
