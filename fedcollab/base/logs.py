"""Decides what a line of the log holds, as JSON or as text: names of places in the program, and nothing of a request or its address."""

import json
import logging
import sys
import traceback

FIELDS = ("path", "status", "reason", "topic", "item")
FRAMES = 8


def message(record: logging.LogRecord) -> str:
    """What is said, on one line. Of what libraries say, the values are left out: aiohttp names the client of each request that it can't
    read."""
    said = record.getMessage() if record.name.startswith("fedcollab") else str(record.msg)
    return said.split("\n", 1)[0]


def fields(record: logging.LogRecord) -> dict[str, object]:
    """The extra fields that may be said."""
    return {name: record.__dict__[name] for name in FIELDS if name in record.__dict__}


def trace(record: logging.LogRecord) -> tuple[str, list[str]]:
    """(the error's type, where it came from: file, line, function), without its words, which may hold content; empty for none."""
    if not record.exc_info or record.exc_info[0] is None:
        return "", []
    frames = traceback.extract_tb(record.exc_info[2])[-FRAMES:]
    return record.exc_info[0].__name__, [f"{frame.filename.rsplit('/', 2)[-1]}:{frame.lineno} {frame.name}" for frame in frames]


class Lines(logging.Formatter):
    """One JSON object a line, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message(record),
        }
        line |= fields(record)
        error, frames = trace(record)
        if error:
            line |= {"error": error, "trace": frames}
        return json.dumps(line, ensure_ascii=False)


class Text(logging.Formatter):
    """One line of words an event, for people who read the journal, which brings the time; the same is said and left out."""

    def format(self, record: logging.LogRecord) -> str:
        error, frames = trace(record)
        more = [f"{name}={plain(value)}" for name, value in fields(record).items()]
        more += [f"error={error}", *frames] if error else []
        return " ".join([f"{record.levelname.lower()}:", plain(message(record)), *([f"({'; '.join(more)})"] if more else [])])


def plain(value: object) -> str:
    """A value that can't end its line, nor colour a terminal: what is no letter or sign is written as its number."""
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in str(value))


FORMS: dict[str, type[logging.Formatter]] = {"json": Lines, "text": Text}


def set_up(level: str, form: str = "json") -> None:
    """Sends everything from `level` on to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FORMS[form]())
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
