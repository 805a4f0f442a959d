"""Decides what is looked at when an admin asks whether their node is well, and says of each fault what to do."""
