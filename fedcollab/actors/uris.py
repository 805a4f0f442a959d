"""Decides how the addresses of this node's actors are spelt."""

from .models import GROUP, ORGANIZATION, PERSON
from .node import Node

FOLDERS = {PERSON: "people", GROUP: "groups"}


def actor_uri(node: Node, kind: str, actor_id: str) -> str:
    """The id of one of our actors: random, and saying nothing about the person."""
    if kind == ORGANIZATION:
        return node.actor_uri
    return node.settings.uri(f"/{FOLDERS[kind]}/{actor_id}")
