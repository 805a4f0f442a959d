"""Decides how a command starts: `serve` at once, everything else by the command line, whose libraries a running node does not need."""

import gc
import sys
from pathlib import Path


def main() -> None:
    """`fedcollab` and `python -m fedcollab`."""
    gc.disable()  # nothing that is imported becomes garbage: looking for it takes a tenth of the start
    root = node_to_serve(sys.argv[1:])
    if root is None:
        from fedcollab.cli import main as command_line

        command_line()
    else:
        _serve(root)


def node_to_serve(words: list[str]) -> Path | None:
    """The directory of the node where the words are plainly `-C DIR serve` or `serve`; anything else is the command line's to read."""
    match words:
        case ["-C" | "--directory", directory, "serve"] if not directory.startswith("-"):
            return Path(directory)
        case ["serve"]:
            return Path()
    return None


def _serve(root: Path) -> None:
    import aiohttp.web  # noqa: F401  # leaves half a MiB of garbage: found quickly as long as little else is there

    gc.collect()
    from fedcollab.base.errors import FedcollabError
    from fedcollab.serve import run

    try:
        run(root)
    except FedcollabError as error:
        from fedcollab.cli import fail

        fail(error)


if __name__ == "__main__":
    main()
