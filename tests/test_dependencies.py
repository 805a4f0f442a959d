"""The libraries that read what strangers send are at least the versions in which their known weaknesses are mended."""

import re
import tomllib
from importlib.metadata import version

import pytest

from .documents import ROOT

MENDED = {
    "aiohttp": "3.13.3",  # CVE-2025-69223 to 69229: packed bodies, parts, chunks, static files
    "cryptography": "44.0.1",  # CVE-2024-12797
    "idna": "3.7",  # CVE-2024-3651: quadratic on long names
    "jinja2": "3.1.6",  # CVE-2025-27516
    "mako": "1.2.2",  # CVE-2022-40023
    "markdown": "3.8.1",  # CVE-2025-69534: an error that nobody caught
    "orjson": "3.9.15",  # CVE-2024-27454: recursion
}


def number(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))


def pinned(text: str) -> dict[str, str]:
    """{name in small letters: version} of a list of constraints."""
    return {name.lower(): found for name, found in re.findall(r"^([\w.-]+)==([\w.]+)$", text, re.MULTILINE)}


def weak(found: dict[str, str]) -> list[str]:
    """Which of them are older than they may be."""
    return [name for name, least in MENDED.items() if name in found and number(found[name]) < number(least)]


@pytest.mark.rule("HTTP-02")
def test_the_versions_that_are_tested_and_installed_are_mended_ones() -> None:
    constraints = pinned((ROOT / "constraints.txt").read_text())
    assert set(MENDED) <= set(constraints)
    assert weak(constraints) == []
    assert weak({name: version(name) for name in MENDED}) == []


@pytest.mark.rule("HTTP-02")
def test_no_weak_version_satisfies_what_the_package_asks_for() -> None:
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    least = {name.lower(): found for one in asked for name, found in re.findall(r"^([\w.-]+)[>=]=([\d.]+)", one)}
    assert {"aiohttp", "markdown", "jinja2", "cryptography", "orjson"} <= set(least)
    assert weak(least) == []


def test_a_weak_version_is_found() -> None:
    assert weak(pinned("aiohttp==3.13.2\nMarkdown==3.8\njinja2==3.10.0\n")) == ["aiohttp", "markdown"]


def test_every_library_that_is_asked_for_is_pinned() -> None:
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    constraints = pinned((ROOT / "constraints.txt").read_text())
    assert [name for name in (re.split(r"[>=<;\[ ]", one)[0].lower() for one in asked) if name not in constraints] == []
