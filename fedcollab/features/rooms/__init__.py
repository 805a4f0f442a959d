"""Sealed groups: discussions of named organisations and people, in sealed rooms."""
