"""Discussions: groups, threads and replies, shared with the partners that the group admits."""
