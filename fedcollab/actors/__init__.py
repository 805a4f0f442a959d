"""Organisations, people and groups: their rows, keys and addresses."""
