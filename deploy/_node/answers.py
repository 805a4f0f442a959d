"""Decides what the installer asks, at most five things, and keeps the answers so that a run that was broken off goes on without asking."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from . import naming, reach
from .layout import Machine, Node
from .say import Stop, say, write

NO_TERMINAL = "There is nobody to ask. Give everything as options, and --yes: deploy/install --help"


@dataclass(frozen=True)
class Answers:
    """What was decided about one node; `finished` once everything is in place and was shown."""

    node: str
    name: str
    domain: str
    admin: str
    backups: str
    port: int
    run_by: str = ""
    web: str = "caddy"
    tls: str = "public"
    finished: bool = False

    @property
    def url(self) -> str:
        return f"https://{self.domain}"


def parser() -> argparse.ArgumentParser:
    """The options; each question has one."""
    made = argparse.ArgumentParser(prog="deploy/install", description="Puts a node on this machine. What no option says is asked.")
    made.add_argument("--name", help="the organisation's name as others read it")
    made.add_argument("--domain", help="the name in the DNS by which everybody reaches the node; it stays for ever")
    made.add_argument("--domain-again", help="the same once more, for a slip in it can't be mended")
    made.add_argument("--admin", help="the name that the first admin signs in with")
    made.add_argument("--backups", help="the directory that backups go to; else /var/backups/fedcollab/NODE")
    made.add_argument("--machine-run-by", help="who runs the machine, where that is not the organisation; its members read it")
    made.add_argument("--node", help="the node's short name on this machine; else the telling part of the domain")
    made.add_argument("--another", action="store_true", help="one more organisation's node on this machine")
    made.add_argument("--restore", help="a directory of backups: brings the node back that they are of, here for the first time or again")
    made.add_argument("--web", choices=("caddy", "none"), default="caddy", help="none: you have a web server, see deploy/nginx")
    made.add_argument(
        "--tls", choices=("public", "internal"), default="public", help="internal: Caddy's own certificate, to try things out"
    )
    made.add_argument("--wheel", help="the program as a wheel, in the place of the one made from this checkout")
    made.add_argument("--yes", action="store_true", help="ask nothing: take the defaults, go on after warnings")
    return made


def known(machine: Machine) -> list[Answers]:
    """What was answered for each node of this machine, finished or not."""
    found = []
    for path in sorted(machine.etc.glob("*/install.json")):
        try:
            found.append(Answers(**json.loads(path.read_text("utf-8"))))
        except (ValueError, TypeError):
            raise Stop(f"{path} can't be read. It is written by this installer alone: bring it back, or remove it.") from None
    return found


def keep(node: Node, answers: Answers) -> None:
    """Writes them down for the next run."""
    node.etc.mkdir(parents=True, exist_ok=True, mode=0o755)
    node.etc.chmod(0o700)
    write(node.answers, json.dumps(asdict(answers), indent=1, ensure_ascii=False) + "\n", 0o600)


def finish(node: Node, answers: Answers) -> Answers:
    """The same, finished."""
    done = replace(answers, finished=True)
    keep(node, done)
    return done


def ask(machine: Machine, said: argparse.Namespace) -> Answers:
    """Takes the options and asks for what they don't say. Raises Stop where an option can't be taken or there is nobody to ask."""
    before = known(machine)
    name = _one(said, "name", "The organisation's name, as others read it", naming.wrong_words).strip()
    domain = _domain(said)
    admin = _one(said, "admin", "The name that you sign in with (small letters)", naming.wrong_sign_in)
    taken = [*(other.node for other in before), *(node.name for node in machine.nodes())]
    node = said.node or naming.short_name(domain, taken)
    wrong = naming.wrong_short(node) or (f"There is a node {node} on this machine already. Take another name." if node in taken else "")
    if wrong:
        raise Stop(f"--node {node}: {wrong}")
    usual = str(machine.node(node).backups)
    backups = _one(said, "backups", "Where backups go, best a disk of its own", _wrong_place(usual), usual)
    run_by = said.machine_run_by or ""
    if before and said.machine_run_by is None:
        others = next((other.run_by for other in before if other.run_by), "")
        question = f"Who runs this machine? Members of {name} read it on their pages (empty: {name} itself)"
        run_by = _one(said, "machine_run_by", question, lambda text: naming.wrong_words(text) if text else "", others)
    port = reach.free_port({other.port for other in before})
    return Answers(node, name, domain, admin, backups, port, run_by, said.web, said.tls)


def _wrong_place(usual: str) -> Callable[[str], str]:
    return lambda text: "" if text == usual else naming.wrong_place(text)


def _domain(said: argparse.Namespace) -> str:
    """Typed twice: nothing else that is asked stays for ever."""
    if said.domain is None:
        say("\nThe domain stays for as long as the node lives: every id begins with it. It can't be changed later.")
    domain = _one(said, "domain", "The domain, such as node.example.org", naming.wrong_domain)
    again = _one(said, "domain_again", "The same once more", lambda text: "" if text == domain else f"That is not {domain}.")
    doubt = reach.doubt(again)
    if doubt:
        say(f"\n{doubt}")
        if not said.yes and _typed("Go on all the same? (yes or no)", "no").lower() not in ("y", "yes"):
            raise Stop("Nothing was changed. Run this again when the name points here.")
    return domain


def _one(said: argparse.Namespace, option: str, question: str, wrong: Callable[[str], str], usual: str | None = None) -> str:
    """One answer: the option's, which has to fit; else what is typed, until it fits."""
    given, written = getattr(said, option), "--" + option.replace("_", "-")
    if given is None and said.yes:
        if usual is None:
            raise Stop(f"{written} is missing. With --yes nothing is asked.")
        given = usual
    if given is not None:
        if wrong(given):
            raise Stop(f"{written} {given}: {wrong(given)}")
        return str(given)
    while True:
        typed = _typed(question, usual)
        if not wrong(typed):
            return typed
        say(f"  {wrong(typed)}")


def _typed(question: str, usual: str | None) -> str:
    shown = f" [{usual}]" if usual else ""
    try:
        typed = input(f"{question}{shown}: ").strip()
    except EOFError:
        raise Stop(NO_TERMINAL) from None
    return typed or usual or ""


def wait_for_paper(yes: bool) -> None:
    """Until the printed key is on paper; with --yes, or without a terminal, nobody is there to say so."""
    if not yes and sys.stdin.isatty():
        _typed("\nWritten down? Then press Enter", None)
