"""Shows the main job between real processes: three nodes and a fourth that only the host knows hold one discussion."""

from collections.abc import Callable
from pathlib import Path

from .databases import query
from .processes import Process, befriend, nodes, until

Urls = Callable[[int], list[str]]
NAMES = ["Meridian Outreach", "Réseau Passerelle", "دار السنابل", "Casa Ladera"]


def has(node: Process, uri: str) -> bool:
    return bool(query(node, f"SELECT 1 FROM post WHERE uri = '{uri}' AND confirmed_at IS NOT NULL"))


def test_a_post_is_read_and_answered_on_partner_nodes_and_on_no_other(tmp_path: Path, urls: Urls) -> None:
    with nodes(tmp_path, NAMES, urls(4)) as (host, second, third, fourth):
        befriend(host, second)
        befriend(host, third)
        befriend(second, third)
        befriend(host, fourth)
        group = host.json("group", "add", "leads", "--name", "Leads", "--label", "TLP:GREEN")["uri"]
        ours = host.json("group", "add", "handover", "--name", "Handover", "--label", "TLP:AMBER+STRICT")["uri"]
        for node in (second, third, fourth):
            until("the group is known", lambda node=node: query(node, f"SELECT 1 FROM actor WHERE uri = '{group}'"))
        opener = host.json("post", "leads", "--as", "ilse", "--title", "Adverts", "--text", "What do *you* see?")["uri"]
        secret = host.json("post", "handover", "--as", "ilse", "--title", "Ours", "--text", "For us alone.")["uri"]
        uris = [opener]
        for node in (second, third, fourth):
            until("the opener has arrived", lambda node=node: has(node, opener))
            uris.append(node.json("post", group, "--as", "ilse", "--reply-to", opener, "--text", "We do too.")["uri"])
        for node in (host, second, third, fourth):
            for uri in uris:
                until("every post is everywhere and confirmed", lambda node=node, uri=uri: has(node, uri))
        orders = {
            tuple(query(node, "SELECT uri FROM post WHERE uri NOT LIKE '%none%' ORDER BY place, id"))[-4:]
            for node in (second, third, fourth)
        }
        assert len(orders) == 1, "all partners see one order"
        for node in (second, third, fourth):
            assert not query(node, f"SELECT 1 FROM post WHERE uri = '{secret}'")
            assert not query(node, f"SELECT 1 FROM actor WHERE uri = '{ours}'")
        authors = query(
            fourth,
            "SELECT a.known, t.name FROM post p JOIN actor a ON a.id = p.author_id"
            " LEFT JOIN actor t ON t.id = a.through_id ORDER BY p.place",
        )
        assert authors == [("partner", None), ("introduced", NAMES[0]), ("introduced", NAMES[0]), ("own", None)]
        for node in (host, second, third, fourth):
            assert node.json("audit", "verify")["broken_at"] is None
            assert node.json("federation", "status")["inbox"] == {}
            assert node.stop() == 0
