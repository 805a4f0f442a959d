"""Decides how a node is copied so that nobody but the holder of the printed key can read it, and how it comes back."""
