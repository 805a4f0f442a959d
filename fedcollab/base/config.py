"""Decides how a node is set up: `node.toml` in its directory, then `FEDCOLLAB_*`; errors name the line to write."""

import os
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from .addresses import host_of
from .errors import BadRequest, Misconfigured, N_
from .paths import NodeFiles

SAMPLE = "make-one-with-openssl-rand-hex-20"  # in the documentation, so no secret of anybody
LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\]):\d{1,5}")


def setting(doc: str, *, example: object, default: object = MISSING, secret: bool = False) -> object:
    """A field of `Settings` with the words and the example that documentation and error texts use. A `secret` is shown to nobody."""
    made: object = field(default=default, metadata={"doc": doc, "example": example, "secret": secret}, repr=not secret)
    return made


@dataclass(frozen=True)
class Settings:
    """One node's settings. Times are seconds, sizes bytes."""

    name: str = setting(N_("The organisation's name as others read it."), example="Meridian Outreach")  # type: ignore[assignment]
    base_url: str = setting(N_("The address by which everybody reaches the node; never changes."), example="https://node.example.org")  # type: ignore[assignment]
    listen: str = setting(N_("Where the process listens, behind your web server."), example="127.0.0.1:8000", default="127.0.0.1:8000")  # type: ignore[assignment]
    database_url: str = setting(
        N_("Empty for SQLite in the node's directory, else a PostgreSQL address."),
        example="postgresql:///fedcollab",
        default="",
        secret=True,
    )  # type: ignore[assignment]
    ring_url: str = setting(
        N_("Empty for a key ring in the node's directory, else the address of a PostgreSQL database for it alone."),
        example="postgresql:///fedcollab_ring",
        default="",
        secret=True,
    )  # type: ignore[assignment]
    language: str = setting(N_("The language for people who have chosen none: en, fr, es or ar."), example="en", default="en")  # type: ignore[assignment]
    time_zone: str = setting(N_("The time zone for people who have chosen none."), example="Europe/Vienna", default="UTC")  # type: ignore[assignment]
    trial: bool = setting(N_("A node to try things out: plain http on loopback, never beyond."), example=True, default=False)  # type: ignore[assignment]
    loopback_peers: tuple[str, ...] = setting(
        N_("Trial nodes only: the exact host:port of each partner on this machine."), example=["127.0.0.1:8002"], default=()
    )  # type: ignore[assignment]
    log_level: str = setting(
        N_("debug, info, warning or error. No level writes content or addresses of people."), example="info", default="info"
    )  # type: ignore[assignment]
    trusted_proxy: bool = setting(
        N_("Whether the web server in front sets X-Forwarded-For itself (used by rate limits only)."), example=True, default=False
    )  # type: ignore[assignment]

    connections: int = setting(N_("How many connections are held at once, in all."), example=1000, default=1000)  # type: ignore[assignment]
    connections_per_address: int = setting(
        N_("How many of them one address may hold; 0 for as many as there are."), example=100, default=100
    )  # type: ignore[assignment]
    outside_servers: bool = setting(
        N_("Whether servers that are no partners may read, follow and answer what is public."), example=True, default=False
    )  # type: ignore[assignment]

    oai: bool = setting(N_("Whether library catalogues may harvest your public resources (OAI-PMH)."), example=True, default=False)  # type: ignore[assignment]

    backup_to: str = setting(
        N_("The directory that backups go to: a disk of its own, best of another machine. Empty for none."),
        example="/mnt/backups/meridian",
        default="",
    )  # type: ignore[assignment]
    backup_keep: int = setting(N_("How many days a backup is kept; the newest one always is."), example=14, default=14)  # type: ignore[assignment]
    disk_reserve: int = setting(
        N_("Megabytes of the disk that are left free, at most a twentieth of it; 0 for none."), example=500, default=500
    )  # type: ignore[assignment]
    log_format: str = setting(N_("json for machines, or text for people who read the journal."), example="text", default="json")  # type: ignore[assignment]
    metrics_listen: str = setting(
        N_("Where figures for a monitoring system are served, as HOST:PORT. Empty for nowhere."), example="127.0.0.1:9100", default=""
    )  # type: ignore[assignment]
    metrics_token: str = setting(
        N_("The secret that a monitoring system shows, 16 characters or more. Empty for none."),
        example="",
        default="",
        secret=True,
    )  # type: ignore[assignment]

    file_limit: int = setting(N_("Megabytes that one file may have."), example=2000, default=2000)  # type: ignore[assignment]
    files_quota: int = setting(
        N_("Megabytes for the files of your own members, all together; 0 for as many as the disk takes."), example=20_000, default=0
    )  # type: ignore[assignment]
    upload_quota: int = setting(
        N_("Megabytes that one member may upload before they are put into a post or a resource."), example=4000, default=4000
    )  # type: ignore[assignment]
    cache_quota: int = setting(N_("Megabytes for partners' files that somebody has opened here."), example=5000, default=5000)  # type: ignore[assignment]
    cache_share: int = setting(N_("How many percent of them one partner's files may take."), example=50, default=50)  # type: ignore[assignment]
    sealed_quota: int = setting(
        N_("Megabytes of sealed messages and files that one partner may store here, in all rooms together; 0 for no limit."),
        example=2000,
        default=2000,
    )  # type: ignore[assignment]
    sealed_room_quota: int = setting(
        N_("Megabytes of them that one partner may store in one room; 0 for no limit."), example=1000, default=1000
    )  # type: ignore[assignment]
    scanner: str = setting(
        N_("Where ClamAV's clamd listens, as the path of its socket or HOST:PORT on this machine. Empty for no scanner."),
        example="/run/clamav/clamd.ctl",
        default="",
    )  # type: ignore[assignment]
    s3_url: str = setting(
        N_("The address of an S3 server that keeps your members' files. Empty for the node's directory."),
        example="https://s3.example.org",
        default="",
    )  # type: ignore[assignment]
    s3_bucket: str = setting(N_("The bucket on that server."), example="meridian-files", default="")  # type: ignore[assignment]
    s3_region: str = setting(N_("The region that the server expects in signatures."), example="eu-central-1", default="us-east-1")  # type: ignore[assignment]
    s3_key: str = setting(N_("The name of the access key."), example="", default="", secret=True)  # type: ignore[assignment]
    s3_secret: str = setting(N_("The secret of the access key."), example="", default="", secret=True)  # type: ignore[assignment]

    machine_run_by: str = setting(
        N_("Who runs the machine, where that is not the organisation itself; members read it at the foot of each page."),
        example="Harbour Network",
        default="",
    )  # type: ignore[assignment]

    leave_to: str = setting(
        N_("The page that “Leave now” opens, on pages that somebody may have to leave quickly: an ordinary one."),
        example="https://www.weather.example/",
        default="https://www.wikipedia.org/",
    )  # type: ignore[assignment]

    @property
    def host(self) -> str:
        """The host (and port, where it isn't the usual one) that the node's addresses carry."""
        return urlsplit(self.base_url).netloc

    @property
    def secure(self) -> bool:
        return self.base_url.startswith("https://")

    def uri(self, path: str) -> str:
        """The absolute address of a path of this node."""
        return self.base_url + path


def load(root: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of the node in `root`. Raises Misconfigured, naming the line to write."""
    file = NodeFiles(root).settings
    try:
        written = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise Misconfigured(
            "%(path)s is missing. Make a node there first: fedcollab init %(root)s --name NAME --base-url URL", path=file, root=root
        ) from None
    except PermissionError:
        raise Misconfigured(
            "%(path)s can't be read by this user. Run as the node's owner, or: chown -R YOU %(root)s", path=file, root=root
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured("%(path)s is not valid TOML: %(error)s", path=file, error=error) from None
    return parse(written, os.environ if environ is None else environ, where=str(file))


def parse(written: Mapping[str, object], environ: Mapping[str, str], where: str = "node.toml") -> Settings:
    """Settings from what is written and the environment, which wins. Raises Misconfigured."""
    known = {f.name: f for f in fields(Settings)}
    for name in written:
        if name not in known:
            raise Misconfigured(
                "%(where)s has the unknown setting %(name)s. Known are: %(known)s. Remove or rename the line.",
                where=where,
                name=name,
                known=", ".join(known),
            )
    values: dict[str, object] = {}
    for name, about in known.items():
        from_environ = environ.get("FEDCOLLAB_" + name.upper())
        if from_environ is not None:
            values[name] = _from_text(name, from_environ, about.type)
        elif name in written:
            values[name] = tuple(written[name]) if isinstance(written[name], list) else written[name]  # type: ignore[arg-type]
        elif about.default is MISSING:
            raise Misconfigured(
                "%(where)s lacks the setting %(name)s. Add a line such as: %(line)s",
                where=where,
                name=name,
                line=line(name, about.metadata["example"]),
            )
    for name, value in values.items():
        _check_type(name, value, known[name].metadata["example"], where)
    settings = Settings(**values)  # type: ignore[arg-type]  # checked one by one above
    _check(settings, where)
    return settings


def line(name: str, value: object) -> str:
    """A setting as a line of node.toml."""
    if isinstance(value, bool):
        return f"{name} = {str(value).lower()}"
    if isinstance(value, int):
        return f"{name} = {value}"
    if isinstance(value, (list, tuple)):
        return f"{name} = [{', '.join(_quoted(str(v)) for v in value)}]"
    return f"{name} = {_quoted(str(value))}"


def _quoted(text: str) -> str:
    """A TOML basic string: quotes, backslashes and control characters are escaped."""
    return '"' + re.sub(r'[\x00-\x1f"\\\x7f]', lambda found: f"\\u{ord(found[0]):04x}", text) + '"'


def _from_text(name: str, text: str, kind: object) -> object:
    if kind is bool:
        if text.lower() not in ("true", "false", "1", "0", "yes", "no"):
            raise Misconfigured("FEDCOLLAB_%(name)s must be true or false.", name=name.upper())
        return text.lower() in ("true", "1", "yes")
    if kind is int:
        return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else text
    if kind is not str:
        return tuple(part for part in re.split(r"[,\s]+", text) if part)
    return text


def _check_type(name: str, value: object, example: object, where: str) -> None:
    wanted = tuple if isinstance(example, list) else type(example)
    right = isinstance(value, wanted) and isinstance(value, bool) == (wanted is bool)
    right = right and (not isinstance(value, tuple) or all(isinstance(v, str) for v in value))
    if not right:
        raise Misconfigured(
            "%(where)s: %(name)s has the wrong kind of value. Write for example: %(line)s",
            where=where,
            name=name,
            line=line(name, example),
        )


def _check(settings: Settings, where: str) -> None:
    wrong = _wrong(settings)
    if wrong:
        name, why, example = wrong
        raise Misconfigured(
            "%(where)s: %(name)s %(why)s. Write for example: %(line)s", where=where, name=name, why=why, line=line(name, example)
        )


def _wrong(s: Settings) -> tuple[str, str, object] | None:  # noqa: C901  # one line a rule
    if not s.name.strip() or len(s.name) > 200 or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in s.name):
        return "name", "must be 1 to 200 characters, on one line", "Meridian Outreach"
    if s.base_url.startswith("http://") and not (s.trial and LOOPBACK.fullmatch(s.base_url.removeprefix("http://"))):
        return "base_url", "must begin with https (plain http is for trial nodes on 127.0.0.1 with a port)", "https://node.example.org"
    if not _is_base(s.base_url):
        return "base_url", "must be https:// and a name in small letters, with no path and no slash at the end", "https://node.example.org"
    if not _is_place(s.listen):
        return "listen", "must be HOST:PORT", "127.0.0.1:8000"
    if s.trial and not LOOPBACK.fullmatch(s.listen):
        return "listen", "of a trial node must be on loopback", "127.0.0.1:8000"
    if s.loopback_peers and not s.trial:
        return "loopback_peers", "is for trial nodes alone", []
    for peer in s.loopback_peers:
        if not LOOPBACK.fullmatch(peer):
            return "loopback_peers", "must name exact loopback addresses with their port", ["127.0.0.1:8002"]
    if s.database_url and not s.database_url.startswith(("postgresql://", "postgres://")):
        return "database_url", "must be empty (SQLite) or begin with postgresql://", "postgresql:///fedcollab"
    if s.ring_url and not s.ring_url.startswith(("postgresql://", "postgres://")):
        return "ring_url", "must be empty (a file in the node's directory) or begin with postgresql://", "postgresql:///fedcollab_ring"
    if s.ring_url and s.ring_url == s.database_url:
        return "ring_url", "must name another database than database_url: the key ring is for itself", "postgresql:///fedcollab_ring"
    if s.language not in ("en", "fr", "es", "ar"):
        return "language", "must be one of en, fr, es, ar", "en"
    if not _is_zone(s.time_zone):
        return "time_zone", "is no time zone that this machine knows", "UTC"
    if not 10 <= s.connections <= 100_000:
        return "connections", "must be 10 to 100000", 1000
    if not 0 <= s.connections_per_address <= 100_000:
        return "connections_per_address", "must be 0 to 100000", 100
    if not 1 <= s.backup_keep <= 3650:
        return "backup_keep", "must be 1 to 3650 days", 14
    if len(s.machine_run_by) > 200 or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in s.machine_run_by):
        return "machine_run_by", "must be at most 200 characters, on one line", "Harbour Network"
    if not re.fullmatch(r"https://[\w.-]+\.\w+(/\S{0,200})?", s.leave_to, re.ASCII):
        return "leave_to", "must be the https address of a public page", "https://www.wikipedia.org/"
    if not 0 <= s.disk_reserve <= 1_000_000:
        return "disk_reserve", "must be 0 to 1000000 megabytes", 500
    if not 1 <= s.file_limit <= 1_000_000:
        return "file_limit", "must be 1 to 1000000 megabytes", 2000
    if not 0 <= s.files_quota <= 100_000_000:
        return "files_quota", "must be 0 to 100000000 megabytes", 20_000
    if not 1 <= s.upload_quota <= 100_000_000:
        return "upload_quota", "must be 1 to 100000000 megabytes", 4000
    if not 1 <= s.cache_quota <= 100_000_000:
        return "cache_quota", "must be 1 to 100000000 megabytes", 5000
    for name in ("sealed_quota", "sealed_room_quota"):
        if not 0 <= getattr(s, name) <= 100_000_000:
            return name, "must be 0 to 100000000 megabytes", 2000
    if not 1 <= s.cache_share <= 100:
        return "cache_share", "must be 1 to 100 percent", 50
    if s.scanner and not s.scanner.startswith("/") and not LOOPBACK.fullmatch(s.scanner):
        return "scanner", "must be the path of a socket, or a port on loopback", "/run/clamav/clamd.ctl"
    if wrong := _wrong_bucket(s):
        return wrong
    if s.log_format not in ("json", "text"):
        return "log_format", "must be json or text", "text"
    if s.metrics_listen and not _is_place(s.metrics_listen):
        return "metrics_listen", "must be HOST:PORT", "127.0.0.1:9100"
    if s.metrics_listen and not s.metrics_token and not LOOPBACK.fullmatch(s.metrics_listen):
        return "metrics_listen", "must be on loopback, unless a metrics_token is set", "127.0.0.1:9100"
    if s.metrics_token == SAMPLE:
        return "metrics_token", "is the one of the documentation, which everybody knows; make your own: openssl rand -hex 20", ""
    if s.metrics_token and not re.fullmatch(r"[!-~]{16,200}", s.metrics_token):
        return "metrics_token", "must be 16 to 200 letters, digits and signs, without blanks", SAMPLE
    if s.log_level not in ("debug", "info", "warning", "error"):
        return "log_level", "must be debug, info, warning or error", "info"
    return None


def _wrong_bucket(s: Settings) -> tuple[str, str, object] | None:
    plain = s.s3_url.startswith("http://") and not LOOPBACK.fullmatch(s.s3_url.removeprefix("http://"))
    if s.s3_url and (plain or not _is_base(s.s3_url)):
        return "s3_url", "must be https:// and a name, with no path (plain http on loopback alone)", "https://s3.example.org"
    if s.s3_bucket and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", s.s3_bucket):
        return "s3_bucket", "must be the name of a bucket", "meridian-files"
    if not re.fullmatch(r"[a-z0-9-]{1,40}", s.s3_region):
        return "s3_region", "must be the name of a region", "us-east-1"
    for name, value in (("s3_key", s.s3_key), ("s3_secret", s.s3_secret)):
        if value and not re.fullmatch(r"[!-~]{3,200}", value):
            return name, "must be what the server gave you, without blanks", ""
    return None


def _is_place(text: str) -> bool:
    return bool(re.fullmatch(r"\S+:\d{1,5}", text)) and int(text.rpartition(":")[2]) <= 65535


def _is_base(url: str) -> bool:
    """Whether an address is scheme and host alone, the host in the spelling by which ids are compared."""
    scheme, _, host = url.partition("://")
    try:
        return scheme in ("http", "https") and host_of(url) == host
    except BadRequest:
        return False


def _is_zone(name: str) -> bool:
    try:
        return name == "UTC" or bool(ZoneInfo(name))
    except (LookupError, ValueError, OSError):  # unknown; not a name at all; a folder of names
        return False
