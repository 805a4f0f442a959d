"""Decides how the addresses of this node's actors and things are spelt."""

from .models import GROUP, ORGANIZATION, PERSON
from .node import Node

FOLDERS = {PERSON: "people", GROUP: "groups"}


def actor_uri(node: Node, kind: str, actor_id: str) -> str:
    """The id of one of our actors: random, and saying nothing about the person."""
    if kind == ORGANIZATION:
        return node.actor_uri
    return node.settings.uri(f"/{FOLDERS[kind]}/{actor_id}")


def thing_uri(node: Node, folder: str, row_id: str) -> str:
    """The id of a thread, post, activity or follow of ours."""
    return node.settings.uri(f"/{folder}/{row_id}")


def row_id(node: Node, uri: str, folder: str) -> str | None:
    """The row id in an address of ours under `folder`, or None where it is another's or malformed."""
    prefix = node.settings.uri(f"/{folder}/")
    tail = uri.removeprefix(prefix)
    return tail if uri.startswith(prefix) and len(tail) == 36 and "/" not in tail else None
