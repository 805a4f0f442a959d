"""What lies in a node's directory, or beside the program, is never had by its address, however that is written; what is meant to be, is."""

import asyncio

import pytest

from fedcollab.base.paths import STATIC
from tests.features.conftest import House, house

__all__ = ["house"]
NAMES = (
    "node.db",
    "node.db-wal",
    "node.db-shm",
    "ring.db",
    "ring.db-wal",
    "ring.db-shm",
    "node.key",
    "node.toml",
    "backup.key",
    "maintenance.json",
    "backup.tmp",
    "backup.tmp/node.db",
    "files",
    "files/",
    "db.sqlite",
    "db.sqlite3",
    "database.db",
    "data.db",
    ".git",
    ".git/",
    ".git/config",
    ".git/HEAD",
    ".gitignore",
    ".env",
    ".env.local",
    ".htpasswd",
    ".DS_Store",
    "backup",
    "backups",
    "backup/",
    "backup.zip",
    "backup.tar.gz",
    "dump.sql",
    "uploads",
    "uploads/",
    "media/",
    "pyproject.toml",
    "constraints.txt",
    "fedcollab/app.py",
    "app.py",
    "serve.py",
    "templates",
    "templates/base/frame.html",
    "migrations",
    "locales",
    "deploy/dev",
    "docs",
    "server-status",
    "phpinfo.php",
    "wp-config.php",
    "robots.txt~",
    "id_rsa",
    "node.toml.bak",
    "node.toml~",
    "node.half",
    "static/.git/config",
    "static/node.key",
    "static/../../pyproject.toml",
)
ROUTES = ("/uploads",)  # takes the beginnings of uploads, and shows nothing
UP = ("..", "%2e%2e", "%2E%2E", ".%2e", "%252e%252e", "..%00", "%c0%ae%c0%ae", "..;", "%uff0e%uff0e")
SLASH = ("/", "%2f", "%5c", "\\", "//", "%252f")
TARGETS = ("node.key", "pyproject.toml", "app.py", "etc/passwd", "base/paths.py")


async def raw(house: House, path: str) -> tuple[int, bytes]:
    """A path exactly as it is written, which no client would send."""
    settings = house.site.kernel.node.settings
    reader, writer = await asyncio.open_connection("127.0.0.1", int(settings.listen.rpartition(":")[2]))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {settings.host}\r\nConnection: close\r\n\r\n".encode("latin-1"))
    answer = await reader.read()
    writer.close()
    return int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2]


def traversals() -> list[str]:
    found = []
    for up in UP:
        for slash in SLASH:
            for depth in (1, 2, 4):
                climb = (up + slash) * depth
                found += [f"/static/{climb}{target}" for target in TARGETS]
                found += [f"/{climb}{TARGETS[0]}", f"/static{slash}{climb}{TARGETS[0]}"]
    return found


def secrets(house: House) -> list[bytes]:
    """What would show that a file was had."""
    key = (house.site.place / "node.key").read_bytes().strip()
    return [key, b"SQLite format 3", b"[project]", b"root:x:0", b"Decides what a node is made of", b"base_url ="]


@pytest.mark.rule("OPS-05")
async def test_no_data_file_is_had_by_its_name(house: House) -> None:
    (house.site.place / "files").mkdir()
    (house.site.place / "files" / "note.txt").write_text("base_url = here")
    for name in NAMES:
        for path in (f"/{name}", f"/{name}?x=1", f"/{name}/"):
            status, body = await raw(house, path)
            assert status == (405 if path.partition("?")[0] in ROUTES else 404), path
            assert not any(secret in body for secret in secrets(house)), path


@pytest.mark.rule("OPS-05")
async def test_no_way_of_writing_a_path_climbs_out_of_the_static_files(house: House) -> None:
    paths = traversals()
    assert len(paths) > 1000
    for path in paths:
        status, body = await raw(house, path)
        assert status in (400, 404), path
        assert not any(secret in body for secret in secrets(house)), path


@pytest.mark.rule("OPS-05")
async def test_folders_are_not_listed_and_each_file_that_is_meant_to_be_had_is(house: House) -> None:
    for path in ("/static", "/static/", "/static/.", "/static/./", "/static/%2e", "/static//", "//static/"):
        status, body = await raw(house, path)
        assert status == 404, path
        assert b"app.css" not in body.partition(b"<body")[2], path
    for file in sorted(STATIC.iterdir()):
        status, body = await raw(house, f"/static/{file.name}")
        assert (status, body) == (200, file.read_bytes())


@pytest.mark.rule("OPS-05")
def test_only_what_is_meant_to_be_had_lies_among_the_static_files() -> None:
    assert {path.suffix for path in STATIC.rglob("*")} <= {".css", ".js", ".svg", ".LICENSE"}
    assert [path for path in STATIC.rglob("*") if path.is_symlink() or path.name.startswith(".")] == []
