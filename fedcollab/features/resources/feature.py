"""Decides what the library hands to the house."""

from aiohttp import web

from fedcollab.access.viewer import MODERATOR
from fedcollab.base.errors import N_
from fedcollab.base.web import Handler
from fedcollab.feature import Feature, MenuItem

from . import acting, composing, list_pages, note_pages, notes_in, reading, receiving, views
from .catalogue import PARTS, send_catalogue
from .clients import arrivals
from .drafts import forget_drafts
from .erased import ERASURES
from .exchange import feature as exchange
from .found import STOCK
from .shelves import FEATURE as NAME
from .shelves import admit_partner, expel_partner
from .words import KINDS, TOPICS

ID = "{id:[0-9a-f]+-[0-9a-f-]+}"  # so that other addresses of the library are not taken for one


def both(path: str, handler: Handler) -> tuple[web.RouteDef, web.RouteDef]:
    """A page with a form, and the form sent."""
    return web.get(path, handler), web.post(path, handler)


ROUTES = (
    web.get("/library", views.show_library),
    *both("/library/new", composing.new_resource),
    web.post("/library/keep", composing.keep),
    web.get("/review", views.show_due),
    web.get("/library/lists", list_pages.show_lists),
    *both("/library/lists/new", list_pages.new_list),
    web.get(f"/library/lists/{ID}", list_pages.show_list),
    web.post(f"/library/lists/{ID}/take", list_pages.take),
    web.post(f"/library/lists/{ID}/delete", list_pages.delete),
    web.get(f"/library/notes/{ID}", views.show_note),
    *both(f"/library/notes/{ID}/edit", note_pages.edit_note),
    *both(f"/library/notes/{ID}/remove", note_pages.remove_note),
    web.post(f"/library/notes/{ID}/delete", note_pages.delete_note),
    web.get(f"/library/{ID}", views.show_resource),
    *both(f"/library/{ID}/edit", composing.edit_resource),
    web.post(f"/library/{ID}/keep", composing.keep),
    *both(f"/library/{ID}/version", acting.new_version),
    *both(f"/library/{ID}/withdraw", acting.withdraw),
    *both(f"/library/{ID}/delete", acting.delete),
    *both(f"/library/{ID}/audience", acting.relabel),
    *both(f"/library/{ID}/translations", acting.translate),
    web.post(f"/library/{ID}/translations/end", acting.untranslate),
    *both(f"/library/{ID}/note", note_pages.add_note),
    web.post(f"/library/{ID}/list", list_pages.put),
)

FEATURE = Feature(
    name=NAME,
    routes=(*exchange.ROUTES, *ROUTES),
    menu=(
        MenuItem("/library", N_("Library"), "book", also=("/stories",)),
        MenuItem("/review", N_("Due for review"), "list", role=MODERATOR, number=views.count_due),
    ),
    handlers=(*receiving.HANDLERS, *notes_in.HANDLERS),
    chores=(*[send_catalogue] * PARTS, forget_drafts, *exchange.CHORES),
    erasures=ERASURES,
    stock=STOCK,
    codes=KINDS | TOPICS,
    arrivals=(arrivals,),
    asked=reading.may_ask_about,
    holds=reading.holds,
    permission=N_("Library"),
    admits=admit_partner,
    expels=expel_partner,
)
