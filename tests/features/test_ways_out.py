"""Shows that no address to go on to leads out of the node, and that no path leads to a file but those meant for all."""

import re
import shutil
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

import pytest

from fedcollab import app
from fedcollab.base.paths import STATIC
from fedcollab.base.web import local
from tests.raw import CLOSE, ask, request, statuses
from tests.web import PASSWORD, site

from .conftest import House

AWAY = [
    "//evil.test",
    "///evil.test",
    "////evil.test/x",
    "https:evil.test",
    "https:/evil.test",
    "https://evil.test",
    "HTTPS://evil.test",
    "\\evil.test",
    "\\\\evil.test",
    "/\\evil.test",
    "\\/evil.test",
    "/\t/evil.test",
    "\t//evil.test",
    " //evil.test",
    "/\n/evil.test",
    "/\r\nLocation: https://evil.test",
    "/\r\nSet-Cookie: a=b",
    "/\0/evil.test",
    "/\x0b/evil.test",
    "/\u2028/evil.test",
    "/\u00a0/evil.test",
    "%09//evil.test",
    "%2f%2fevil.test",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.test",
    "@evil.test",
    "/.//evil.test",
    "/..//evil.test",
    "/;@evil.test",
    "//evil.test@here/",
    "//\u2044evil.test",
    "",
    "?next=//evil.test",
]


def leads_out(location: str, base: str = "http://here.test/login") -> bool:
    """Whether a browser that follows this, with all that browsers forgive, comes to another host."""
    forgiven = re.sub(r"[\t\n\r]", "", location.strip("".join(map(chr, range(33))))).replace("\\", "/")
    there = urlsplit(urljoin(base, forgiven))
    return (there.scheme, there.netloc) != ("http", "here.test") or re.match(r"/*/{2}", forgiven) is not None


def test_what_leads_out_is_seen() -> None:
    assert all(
        leads_out(one) for one in ("//evil.test", "\\\\evil.test", "/\t/evil.test", "https:evil.test", "javascript:alert(1)", " //e")
    )
    assert not any(leads_out(one) for one in ("/", "/groups?x=//evil.test", "/.//x", "?next=//evil.test"))


@pytest.mark.rule("HTTP-05")
async def test_no_address_to_go_on_to_leads_out_of_the_node(house: House) -> None:
    for to in AWAY:
        await goes_nowhere_else(house, to)


async def goes_nowhere_else(house: House, to: str) -> None:
    assert not leads_out(local(to)), to
    encoded = quote(to, safe="")
    answers = [
        await house.admin.ask("GET", f"/language/fr?next={encoded}"),
        await house.admin.ask("POST", "/settings/notices", {"token": await house.admin.token("/settings"), "next": to}),
    ]
    visitor = house.site.stranger()
    status, _, text = await visitor.ask("GET", f"/login?next={encoded}")
    assert status == (404 if "\0" in to else 200)
    assert not any(leads_out(found) for found in re.findall(r'name="next" value="([^"]*)"', text))
    form = {"token": await visitor.token(), "username": "ilse", "password": PASSWORD, "next": to}
    answers += [await visitor.ask("POST", "/login", form), await visitor.ask("POST", f"/login?next={encoded}", form | {"next": ""})]
    for status, headers, _ in answers:
        if status in (303, 307):
            assert not leads_out(headers["Location"]), headers["Location"]
            assert "evil" not in str(headers.getall("Set-Cookie", []))
        assert status < 500
    assert [status for status, _, _ in answers].count(303) >= 2


@pytest.mark.rule("HTTP-05")
async def test_the_way_by_the_login_page_comes_back_to_where_it_began_and_nowhere_else(house: House) -> None:
    for path in ("//evil.test/groups", "/groups//evil.test", "/%2f%2fevil.test", "/settings?next=//evil.test", "/\\evil.test"):
        answer = await ask(house.site, request(house.site, "GET", path.replace("\\", "%5c"), CLOSE))
        for location in re.findall(rb"\r\nLocation: ([^\r]*)", answer):
            assert not leads_out(location.decode())
            _, _, text = await house.site.stranger().ask("GET", location.decode())
            assert not any(leads_out(found) for found in re.findall(r'name="next" value="([^"]*)"', text))
    visitor = house.site.stranger()
    status, headers, _ = await visitor.ask("GET", "/settings")
    assert (status, headers["Location"]) == (303, "/login?next=/settings")


TRAVERSALS = [
    "/static/../../node.db",
    "/static/../node.key",
    "/static/%2e%2e/%2e%2e/node.db",
    "/static/%2e%2e%2f%2e%2e%2fnode.key",
    "/static/..%2f..%2fnode.toml",
    "/static/..%5c..%5cnode.toml",
    "/static/..\\..\\node.toml",
    "/static/%252e%252e%252fapp.py",
    "/static/....//....//app.py",
    "/static/.%00./app.py",
    "/static/app.css%00.py",
    "/static//etc/passwd",
    "/static/%2fetc%2fpasswd",
    "/static/C:/windows/win.ini",
    "/static/file:///etc/passwd",
    "/static/%c0%ae%c0%ae/app.py",
    "/static/%uff0e%uff0e/app.py",
    "/static/;/../app.py",
    "/static/../app.py",
    "/static/.",
    "/static/",
    "/static",
    "/static/linked.txt",
    "/static/folder/secret",
    "/static/folder",
    "/static/pipe",
    "/../fedcollab/app.py",
    "/node.db",
    "/node.key",
    "/.git/config",
]


@pytest.mark.rule("HTTP-07")
async def test_nothing_but_the_files_in_the_static_folder_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever can write there could otherwise serve the whole disk by one symbolic link."""
    folder, secret = tmp_path / "static", tmp_path / "secrets"
    shutil.copytree(STATIC, folder)
    secret.mkdir()
    (secret / "secret").write_text("of the house")
    (folder / "linked.txt").symlink_to(secret / "secret")
    (folder / "folder").symlink_to(secret, target_is_directory=True)
    monkeypatch.setattr(app, "STATIC", folder)
    async with site(tmp_path) as here:
        for path in TRAVERSALS:
            answer = await ask(here, request(here, "GET", path, CLOSE))
            assert statuses(answer)[0] in (400, 403, 404), (path, answer[:200])
            assert b"of the house" not in answer
            assert b"Traceback" not in answer
            assert b"Content-Security-Policy: default-src 'none'" in answer
        good = await ask(here, request(here, "GET", "/static/app.css", CLOSE))
        assert statuses(good) == [200]
        assert (folder / "app.css").read_bytes()[:200] in good
