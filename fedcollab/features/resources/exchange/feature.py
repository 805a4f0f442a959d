"""Decides what in and out hand to the library."""

from . import views
from .importing import go_on

ROUTES = views.ROUTES
CHORES = (go_on,)
