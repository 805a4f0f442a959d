"""Speed and size against their floors, measured here and now: one row a measure; exit code 1 where a target is not kept."""

import argparse
import sys
import tempfile
from pathlib import Path

from . import (
    backing,
    casing,
    catching,
    fanning,
    filing,
    finding,
    grouping,
    reading,
    recording,
    sealing,
    sector,
    shelving,
    starting,
    talking,
    travelling,
    uploading,
    writing,
)
from .table import as_json, as_text, good

MEASURES = {
    "starting": starting.measure,
    "reading": reading.measure,
    "shelving": shelving.measure,
    "travelling": travelling.measure,
    "writing": writing.measure,
    "catching": catching.measure,
    "sealing": sealing.measure,
    "cases": casing.measure,
    "recording": recording.measure,
    "groups": grouping.measure,
    "sector": sector.measure,
    "talking": talking.measure,
    "fanning": fanning.measure,
    "uploading": uploading.measure,
    "filing": filing.measure,
    "backing": backing.measure,
    "finding": finding.measure,
}
ASKED_FOR = {"backing", "finding"}  # take ten minutes, and 40 GB and 3 GB of the disk: only by --only


def main() -> int:
    parser = argparse.ArgumentParser(prog="deploy/dev bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    parser.add_argument("--only", choices=MEASURES, action="append", help="only these measures; may be given several times")
    chosen = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="fedcollab-bench-") as place:
        for name in chosen.only or [name for name in MEASURES if name not in ASKED_FOR]:
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            rows += MEASURES[name](Path(place))
    print(as_json(rows) if chosen.json else as_text(rows))
    return 0 if good(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
