"""Shows that the Compose files are read by docker-compose, and that each container is locked in, pinned and looked after."""

import os
import re
import subprocess
from pathlib import Path

import pytest

import fedcollab

COMPOSE = Path(__file__).parents[2] / "deploy" / "compose"
LOCKED = (
    "read_only: true",
    "no-new-privileges:true",
    "tmpfs:",
    "user: ",
    "cap_drop:\n    - ALL",
)


def read(**env: str) -> "subprocess.CompletedProcess[str]":
    """What docker-compose makes of the file, with all that it refers to in its place."""
    words = [os.environ["FEDCOLLAB_TEST_DOCKER_COMPOSE"], "-f", str(COMPOSE / "compose.yaml"), "--profile", "setup", "config"]
    clean = {key: value for key, value in os.environ.items() if key != "DOMAIN"}
    return subprocess.run(words, env={**clean, **env}, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def services() -> dict[str, str]:
    """Each service's part of the file."""
    done = read(DOMAIN="node.example.org")
    assert done.returncode == 0, done.stderr
    part = re.search(r"^services:\n((?:  .*\n|\n)+)", done.stdout, re.MULTILINE)
    assert part
    return dict(re.findall(r"^  (\w+):\n((?:    .*\n|\n)+)", part[1], re.MULTILINE))


@pytest.mark.compose
@pytest.mark.parametrize("name", ["node", "web", "backup", "setup"])
def test_each_container_is_locked_in_and_is_nobodys_root(name: str, services: dict[str, str]) -> None:
    assert set(services) == {"node", "web", "backup", "setup"}
    assert [words for words in LOCKED if words not in services[name]] == []
    user = re.search(r"user: \W?(\d+):(\d+)", services[name])
    assert user
    assert int(user[1]) > 1000
    for words in ("privileged: true", "cap_add", "docker.sock", "network_mode: host"):
        assert words not in services[name]


@pytest.mark.compose
def test_what_answers_is_asked_whether_it_does_and_waited_for(services: dict[str, str]) -> None:
    for name in ("node", "web"):
        assert "healthcheck:" in services[name]
    for name in ("web", "backup"):
        assert "condition: service_healthy" in services[name]


@pytest.mark.compose
def test_the_key_is_handed_to_those_who_need_it_and_only_the_web_server_is_reached_from_outside(services: dict[str, str]) -> None:
    assert {name for name, text in services.items() if "node.key" in text} == {"node", "backup"}
    assert {name for name, text in services.items() if "CREDENTIALS_DIRECTORY" in text} == {"node", "backup"}
    assert {name for name, text in services.items() if "ports:" in text} == {"web"}
    assert {name for name, text in services.items() if re.search(r"network_mode: \W?none", text)} == {"backup", "setup"}


@pytest.mark.compose
def test_without_a_domain_it_says_what_to_write() -> None:
    done = read()
    assert done.returncode != 0
    assert "write DOMAIN=node.example.org into deploy/compose/.env" in done.stderr


@pytest.mark.caddy
def test_caddy_reads_the_containers_settings() -> None:
    words = [os.environ["FEDCOLLAB_TEST_CADDY"], "adapt", "--config", str(COMPOSE / "Caddyfile"), "--adapter", "caddyfile"]
    done = subprocess.run(
        words, env={"DOMAIN": "node.example.org", "HOME": "/nowhere"}, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, '"dial":"node:8000"' in done.stdout) == (0, True), done.stderr


def test_images_are_pinned_by_a_whole_version_and_run_as_nobodys_root() -> None:
    text = (COMPOSE / "Dockerfile").read_text()
    images = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert len(images) == 3
    assert [image for image in images if not re.search(r":\d+\.\d+\.\d+", image)] == []
    stages = text.split("FROM ")[1:]
    assert ["USER 100" in stage for stage in stages] == [False, True, True]
    assert "--only-binary=:all:" in stages[0]


def test_the_images_carry_the_programs_version() -> None:
    assert set(re.findall(r"image: fedcollab-\w+:(\S+)", (COMPOSE / "compose.yaml").read_text())) == {fedcollab.__version__}


def test_what_the_image_is_made_of_is_let_through_and_nothing_else() -> None:
    through = {line[1:] for line in (COMPOSE.parents[1] / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        name for line in re.findall(r"^COPY (?!--)(.*) \S+$", (COMPOSE / "Dockerfile").read_text(), re.MULTILINE) for name in line.split()
    }
    assert through == copied
