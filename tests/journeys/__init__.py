"""Journeys: real processes, real databases, as people meet them."""
