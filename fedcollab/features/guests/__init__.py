"""Guests: named people of organisations without a node, each on one case of ours."""
