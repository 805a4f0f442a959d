"""Decides what each node needs of its machine before it can be made, and how it is put to work once it is there."""

import argparse
import time

from . import caddy, packages, reach, services, steps
from .answers import Answers
from .layout import Machine, Node
from .say import Stop, say

PATIENCE = 30.0  # seconds that a started node may take to answer


def prepare(machine: Machine, web: str, said: argparse.Namespace) -> None:
    """What all nodes share: Debian's packages, the program, the commands, the units."""
    lacking = packages.lacking("python3-venv", "ca-certificates", *(["caddy"] if web == "caddy" else []))
    if lacking:
        say(f"Packages from Debian: {', '.join(lacking)}")
        packages.install(*lacking)
    say("The program (a minute)")
    steps.program(machine, said.wheel)
    steps.commands_and_units(machine)


def begin(machine: Machine, node: Node, answers: Answers) -> None:
    """The service, the web server in front of it, the backup of each night."""
    say("Its service")
    _start(node, answers)
    if answers.web == "caddy":
        say("Caddy, and a certificate")
        caddy.put(machine, node, answers)
    services.enable(node.backup_timer)
    services.start(node.backup_timer)


def _start(node: Node, answers: Answers) -> None:
    """Started now and with the machine; it counts once it answers under its own name."""
    services.enable(node.service)
    services.start(node.service)
    until = time.monotonic() + PATIENCE
    while not reach.answers(answers.domain, answers.port):
        if time.monotonic() > until:
            raise Stop(f"{node.service} runs and does not answer. What it says: journalctl -u {node.service} -n 20")
        time.sleep(0.2)


def say_of_the_web(answers: Answers) -> None:
    """What the web server still lacks, if anything."""
    if answers.web == "none":
        say(f"  Your web server has to pass {answers.url} on to 127.0.0.1:{answers.port}: deploy/nginx/fedcollab.conf is an example.")
    elif not reach.has_certificate(answers.domain, public=answers.tls == "public"):
        say("  There is no certificate yet. Caddy gets one by itself once the name points here and ports 80 and 443 arrive;")
        say("  what it says: journalctl -u caddy -n 20")
