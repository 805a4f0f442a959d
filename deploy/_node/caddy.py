"""Decides what stands in Caddy's settings for a node: one file each, no access log, nothing of what the admin wrote there touched."""

import hashlib
import subprocess
from pathlib import Path

from . import reach, services
from .answers import Answers
from .layout import CHECKOUT, Machine, Node
from .say import Stop, run, say, write

EXAMPLES = CHECKOUT / "deploy" / "caddy"
IMPORT = "import /etc/caddy/fedcollab/*.caddy"


def site(answers: Answers) -> str:
    """The node's file: the example's, with its own name and port."""
    text = (EXAMPLES / "node.caddy").read_text("utf-8")
    text = text.replace("node.example.org", answers.domain).replace("127.0.0.1:8000", f"127.0.0.1:{answers.port}")
    return text if answers.tls == "public" else text.replace(" {\n", " {\n\ttls internal\n", 1)


def put(machine: Machine, node: Node, answers: Answers) -> None:
    """Has Caddy answer for the node. Raises Stop where its settings as a whole can't be read; those that run are then untouched."""
    write(node.site, site(answers))
    _import(machine)
    words = f"{machine.caddyfile} can't be read with {node.site} in it: mend what is named above, then run this again."
    run(["caddy", "adapt", "--config", machine.caddyfile, "--adapter", "caddyfile"], words)
    services.enable(services.CADDY)
    services.reload_or_start(services.CADDY)  # also where nothing was written: a run before may have been killed just here


def _import(machine: Machine) -> None:
    """Has the Caddyfile read the nodes' files; one as it came with the package becomes ours, one that somebody has written gets a line."""
    file = machine.caddyfile
    text = file.read_text("utf-8") if file.exists() else ""
    if IMPORT in text:
        return
    if not text or _as_packaged(file):
        write(file, (EXAMPLES / "Caddyfile").read_text("utf-8"))
        return
    say(f'  {file} is yours: it gets the line "{IMPORT}" at its end, and stays as it is otherwise.')
    write(file, text.rstrip("\n") + f"\n\n{IMPORT}\n")


def _as_packaged(file: Path) -> bool:
    """Whether the file is the one that Debian's package brought."""
    known = subprocess.run(["dpkg-query", "-W", "-f", "${Conffiles}", "caddy"], capture_output=True, text=True, check=False).stdout
    now = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
    return f"{file} {now}" in known


def refuse_other_servers() -> None:
    """Raises Stop where something else than Caddy has the web's ports."""
    ports = [port for port in reach.WEB if not reach.is_free(port)]
    if ports and not services.is_active(services.CADDY):
        which = " and ".join(map(str, ports))
        raise Stop(
            f"Another program has port {which} (nginx? apache2?). Stop it for good: systemctl disable --now NAME.\n"
            "Or keep it, run this again with --web none, and tell it about the node: deploy/nginx/fedcollab.conf is an example."
        )
