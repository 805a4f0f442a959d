"""Gives tests what is dear to make and alike each time: RSA keys out of a pool, and a database that has gone through all migrations."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

import fedcollab.setup
from fedcollab.actors import keys
from fedcollab.base.migrate import migrate

KEYS = 96  # more than any test makes: within one no two are the same
_pool: list[RSAPrivateKey] = []
_made = 0
_migrated: bytes = b""


def rsa(exponent: int = 65537, size: int = 2048) -> RSAPrivateKey:
    """A key of its own for whoever asks, within one test: made anew until there are enough, then the oldest again."""
    global _made  # noqa: PLW0603  # of this process
    if size != 2048:
        return generate_private_key(exponent, size)
    if len(_pool) < KEYS:
        _pool.append(generate_private_key(exponent, size))
    _made += 1
    return _pool[(_made - 1) % KEYS]


def migrated(engine: sa.Engine, *args: Any, **kwargs: Any) -> Any:
    """As `migrate`, for an empty database of SQLite from one that went through all steps in this process."""
    global _migrated  # noqa: PLW0603  # of this process
    place = engine.url.database
    if engine.dialect.name != "sqlite" or not place or place == ":memory:" or args or kwargs:
        return migrate(engine, *args, **kwargs)
    if not _migrated:
        done = migrate(engine)
        engine.dispose()  # its log is in the file then
        _migrated = Path(place).read_bytes()
        return done
    engine.dispose()
    Path(place).write_bytes(_migrated)
    return None


def install() -> None:
    """From now on this process's nodes use both."""
    keys.generate_private_key = rsa  # type: ignore[assignment]
    fedcollab.setup.migrate = migrated  # type: ignore[assignment]
