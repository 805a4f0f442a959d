"""Decides how tables are declared: a class whose attributes are its table's columns, without the mappers that entities would need
(docs/decisions/0022-columns-without-mappers.md)."""

import types
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

import sqlalchemy as sa

__all__ = ["Mapped", "Model", "aliased", "mapped_column"]
T = TypeVar("T")
if TYPE_CHECKING:  # how type checkers know columns; loaded, what stands behind it would be 5 MiB
    from sqlalchemy.orm import Mapped, mapped_column
else:

    class Mapped(Generic[T]):
        """What a column holds."""

    mapped_column = sa.Column

TYPES: dict[Any, Any] = {  # what an annotation says without a type beside it; integers are 64 bits wide: most are microseconds
    int: sa.BigInteger,
    str: sa.String,
    bool: sa.Boolean,
    bytes: sa.LargeBinary,
}


class _Declared(type):
    """Makes a class's table of its annotations `name: Mapped[type] = mapped_column(...)`, which type checkers know from SQLAlchemy."""

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:
        super().__init__(name, bases, namespace)
        if "__tablename__" in namespace:
            hints = get_type_hints(cls)
            columns = [_column(key, hints[key], _said(cls, key)) for key in _declared(cls) if get_origin(hints[key]) is Mapped]
            cls.__table__ = sa.Table(namespace["__tablename__"], cls.metadata, *columns, *namespace.get("__table_args__", ()))  # type: ignore[attr-defined]  # of the root class
            for column in columns:
                setattr(cls, column.key, column)

    def __clause_element__(cls) -> sa.Table:
        """What SQLAlchemy takes the class for in `select_from`, `join`, `insert` and the like."""
        return cls.__table__


class Model(metaclass=_Declared):
    """Root of all tables; one metadata for the whole house."""

    metadata: ClassVar = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    __table__: ClassVar[sa.Table]


M = TypeVar("M", bound=Model)


def aliased(model: type[M]) -> type[M]:
    """The table under a name of its own, for a statement that needs it twice. An alias copies every column: make it once."""
    alias = model.__table__.alias()
    made: Any = _Declared(model.__name__, (), dict(alias.c.items()) | {"__table__": alias})
    return made  # type: ignore[no-any-return]  # it has the model's columns


def _declared(cls: type) -> list[str]:
    """The names that the class and what it is made of annotate, its own first."""
    return list(dict.fromkeys(key for one in cls.__mro__ for key in vars(one).get("__annotations__", ())))


def _said(cls: type, key: str) -> sa.Column[Any]:
    """The column that a class declares; a copy of what a mixin declares, for it stands in several tables."""
    declared: sa.Column[Any] | None = getattr(cls, key, None)
    if declared is None:
        return sa.Column()
    return declared if key in vars(cls) else declared._copy()


def _column(name: str, hint: Any, column: sa.Column[Any]) -> sa.Column[Any]:
    """A column of the type that stands in its declaration, else of its annotation's; only `| None` may be empty."""
    (said,) = get_args(hint)
    parts = get_args(said) if get_origin(said) in (Union, types.UnionType) else (said,)
    column.key = column.name = name
    if isinstance(column.type, sa.types.NullType) and not column.foreign_keys:
        (kind,) = (part for part in parts if part is not types.NoneType)
        column.type = TYPES[kind]()
    column.nullable = not column.primary_key and types.NoneType in parts
    return column
