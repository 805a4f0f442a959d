"""Decides how people and organisations on a case are called: as in every sealed room."""

from fedcollab.sealing.naming import Named, Names, listed, names

__all__ = ["Named", "Names", "listed", "names"]
