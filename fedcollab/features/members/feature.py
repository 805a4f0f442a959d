"""Decides what members hand to the house."""

from aiohttp import web

from fedcollab.access.viewer import CASEWORKER, KEEPER
from fedcollab.feature import Feature, HomeNote
from fedcollab.sealing import comparing, people, recovery

from . import api, asking, compare_pages, ending, factor_pages, finishing, key_pages, passkey_pages, token_pages, views
from .api import RATE
from .rate import Rate
from .service import end_all, forget_ended
from .taken_away import ERASURES
from .throttle import Throttle
from .views import THROTTLE, session_viewer

FEATURE = Feature(
    name="members",
    routes=(
        web.get("/login", views.show_login),
        web.post("/login", views.login),
        web.get("/login/code", views.show_code),
        web.post("/login/code", views.login_code),
        web.post("/login/passkey", passkey_pages.ask_at_sign_in),
        web.get("/again", asking.show_again),
        web.post("/again", asking.again),
        web.post("/again/passkey", passkey_pages.ask_again),
        web.post("/logout", views.logout),
        web.get("/join/{token}", views.join),
        web.post("/join/{token}", views.join),
        web.get("/link/{token}", views.use_link),
        web.post("/link/{token}", views.use_link),
        web.get("/settings", views.settings),
        web.post("/settings", views.settings),
        web.get("/settings/password", views.password),
        web.post("/settings/password", views.password),
        web.get("/settings/factor", factor_pages.show_factor),
        web.post("/settings/factor", factor_pages.change_factor),
        web.get("/settings/factor/passkeys", passkey_pages.show_passkeys),
        web.post("/settings/factor/passkeys", passkey_pages.change_passkeys),
        web.post("/settings/factor/passkeys/new", passkey_pages.ask_to_make),
        web.get("/unlock", key_pages.show_unlock),
        web.post("/unlock", key_pages.unlock),
        web.get("/settings/keys", key_pages.show_keys),
        web.post("/settings/keys", key_pages.change_keys),
        web.get("/keepers/waiting", key_pages.show_waiting),
        web.post("/keepers/waiting/{id}", key_pages.readmit),
        web.post("/keepers/waiting/{id}/reopen", key_pages.reopen),
        web.get("/changed-keys", compare_pages.show_changed),
        web.get("/people/{id}/words", compare_pages.show_words),
        web.post("/people/{id}/words", compare_pages.confirm),
        web.get("/settings/sessions", views.my_sessions),
        web.post("/settings/sessions", views.my_sessions),
        web.post("/settings/notices", views.forget_notices),
        web.get("/language/{code}", views.choose_language),
        web.get("/settings/tokens", token_pages.show_tokens),
        web.post("/settings/tokens", token_pages.change_tokens),
        web.get("/people/{id}", api.show_person),
        web.get("/people/{id}/inbox", api.inbox),
        web.get("/people/{id}/outbox", api.outbox),
        web.post("/people/{id}/outbox", api.post_outbox),
        web.get("/activities/{id}", api.show_activity),
    ),
    chores=(forget_ended, ending.lock_ended, recovery.end_left, finishing.finish),
    restored=(end_all, people.tell_again),
    erasures=ERASURES,
    namings=(ending.NAMED_IN_RING,),
    home=(
        HomeNote("members/waiting_note.html", KEEPER, recovery.how_many_wait),
        HomeNote("members/changed_note.html", CASEWORKER, comparing.how_many),
    ),
)

__all__ = ["FEATURE", "RATE", "THROTTLE", "Rate", "Throttle", "session_viewer"]
