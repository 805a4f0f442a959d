"""Shows that the example for nginx passes files on as they come, at each address that takes some: else they would lie on its disk."""

import re

from fedcollab.app import FEATURES
from fedcollab.base.web import STREAM
from tests.documents import ROOT

EXAMPLE = ROOT / "deploy" / "nginx" / "fedcollab.conf"
SMALL = {"/uploads", "/library/import"}  # says what will come; at most what nginx keeps in memory
BLOCK = re.compile(r"location ~ (\S+) \{([^}]*)\}")


def test_each_address_that_takes_a_file_stands_in_the_block_that_keeps_none_of_it() -> None:
    [(pattern, block)] = BLOCK.findall(EXAMPLE.read_text("utf-8"))
    assert "proxy_request_buffering off;" in block
    assert "client_max_body_size 0;" in block
    routes = [route for feature in FEATURES for route in feature.routes if route.method != "GET"]
    taken = {route.path for route in routes if getattr(route.handler, STREAM, False)} - SMALL
    paths = {re.sub(r"\{[^}]*\}", "01a21965-6f5c", path) for path in taken}
    assert len(paths) >= 3
    assert [path for path in sorted(paths) if not re.fullmatch(pattern, path)] == []
    assert not re.fullmatch(pattern, "/cases/01a21965-6f5c/say/message")
