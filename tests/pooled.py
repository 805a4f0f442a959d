"""Gives tests what is dear to make and alike each time: RSA keys from a pool, a database with its tables, templates that are compiled."""

import contextlib
import os
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jinja2.bccache import Bucket, BytecodeCache

import fedcollab.setup
from fedcollab.actors import keys
from fedcollab.base import templates
from fedcollab.base.migrate import NODE, Steps, migrate, silent
from fedcollab.base.model import Model

KEYS = 96  # more than any test makes: within one no two are the same
KEPT = Path(__file__).parents[1] / ".cache" / "keys"  # `deploy/dev clean` removes them
_pool: list[RSAPrivateKey] = []
_made = 0
_migrated: dict[Steps, bytes] = {}
_with_tables: dict[tuple[type[Model], int], bytes] = {}  # by the root and the number of tables: a test that imports more of them has more


def rsa(exponent: int = 65537, size: int = 2048) -> RSAPrivateKey:
    """A key of its own for whoever asks, within one test: made anew until there are enough, then the oldest again."""
    global _made  # noqa: PLW0603  # of this process
    if (exponent, size) != (65537, 2048):
        return generate_private_key(exponent, size)
    if len(_pool) < KEYS:
        _pool.append(_kept(KEPT / f"{(os.getpid() + len(_pool)) % KEYS}.der"))  # each process begins elsewhere: they share the work
    _made += 1
    return _pool[(_made - 1) % KEYS]


def _kept(place: Path) -> RSAPrivateKey:
    """The key that lies there, for making one takes a twentieth of a second and more; if none does, a new one, which is kept."""
    with contextlib.suppress(OSError, ValueError):
        found = serialization.load_der_private_key(place.read_bytes(), None, unsafe_skip_rsa_key_validation=True)
        if isinstance(found, RSAPrivateKey):
            return found
    made = generate_private_key(65537, 2048)
    plain = (serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with contextlib.suppress(OSError):  # a checkout that can't be written makes them each time
        place.parent.mkdir(parents=True, exist_ok=True)
        half = place.with_suffix(f".{os.getpid()}")
        half.write_bytes(made.private_bytes(*plain))
        half.replace(place)
    return made


def migrated(engine: sa.Engine, *args: Any, steps: Steps = NODE) -> Any:
    """As `migrate`, for an empty database of SQLite from one that went through all steps in this process."""
    place = engine.url.database
    if engine.dialect.name != "sqlite" or not place or place == ":memory:" or args:
        return migrate(engine, *(args or (silent,)), steps=steps)
    if steps not in _migrated:
        done = migrate(engine, steps=steps)
        engine.dispose()  # its log is in the file then
        _migrated[steps] = Path(place).read_bytes()
        return done
    engine.dispose()
    Path(place).write_bytes(_migrated[steps])
    return None


def tables(engine: sa.Engine, root: type[Model] = Model) -> None:
    """As `create_all` of a root; a file of SQLite that is not there yet is made like the first one of this process."""
    place, which = engine.url.database, (root, len(root.metadata.tables))
    if engine.dialect.name != "sqlite" or not place or place == ":memory:" or Path(place).exists():
        root.metadata.create_all(engine)
    elif which in _with_tables:
        Path(place).write_bytes(_with_tables[which])
    else:
        root.metadata.create_all(engine)
        engine.dispose()  # its log is in the file then
        _with_tables[which] = Path(place).read_bytes()


class Compiled(BytecodeCache):
    """What templates were compiled to in this process, by their place and their text: each node makes its pages anew."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key, bucket.checksum] = bucket.code


def install() -> None:
    """From now on this process's nodes use all of them."""
    keys.generate_private_key = rsa  # type: ignore[assignment]
    fedcollab.setup.migrate = migrated  # type: ignore[assignment]
    kept = Compiled()
    templates._Pages.bytecode_cache = property(lambda _: kept, lambda *_: None)  # type: ignore[assignment]  # each page sets its own
