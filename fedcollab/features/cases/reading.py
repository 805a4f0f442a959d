"""Decides how entries of a case are read: as all sealed entries are."""

from fedcollab.sealing.entries import document, entry_in, members

__all__ = ["document", "entry_in", "members"]
