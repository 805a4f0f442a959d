"""Shows that a table is what its class declares, and that statements take the class for it."""

import sqlalchemy as sa
from sqlalchemy import ForeignKey, Index, String

from fedcollab.base.model import Mapped, Model, aliased, mapped_column
from tests.rows import session_on


class Apart(Model):
    """A root whose tables are no part of the node's."""

    metadata = sa.MetaData()


class Dated:
    """What two tables have in common."""

    said: Mapped[str] = mapped_column(String(20), default="nothing")
    at: Mapped[int]


class Place(Apart):
    """A place."""

    __tablename__ = "place"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    open: Mapped[bool] = mapped_column(default=True)


class Visit(Dated, Apart):
    """A visit to a place."""

    __tablename__ = "visit"
    id: Mapped[int] = mapped_column(primary_key=True)
    place_id: Mapped[str] = mapped_column(ForeignKey("place.id"), index=True)
    before_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id"))
    picture: Mapped[bytes | None]

    __table_args__ = (Index("ix_visit_at", "at", "said", unique=True),)


class Letter(Dated, Apart):
    """Something else with a date."""

    __tablename__ = "letter"
    id: Mapped[int] = mapped_column(primary_key=True)


def test_a_table_has_the_columns_that_its_class_and_what_it_is_made_of_declare() -> None:
    found = {column.name: (type(column.type), column.nullable, column.primary_key) for column in Visit.__table__.columns}
    assert found == {
        "id": (sa.BigInteger, False, True),
        "place_id": (sa.String, False, False),
        "before_id": (sa.BigInteger, True, False),
        "picture": (sa.LargeBinary, True, False),
        "said": (sa.String, False, False),
        "at": (sa.BigInteger, False, False),
    }
    assert {index.name for index in Visit.__table__.indexes} == {"ix_visit_at", "ix_visit_place_id"}
    assert Letter.said is not Visit.said, "what stands in two tables is a column of each"
    assert "visit" not in Model.metadata.tables


def test_statements_take_the_class_for_its_table_and_an_alias_for_the_class() -> None:
    engine = sa.create_engine("sqlite://")
    Apart.metadata.create_all(engine)
    before = aliased(Visit)
    with session_on(engine) as session:
        session.execute(sa.insert(Place).values(id="here"))
        session.execute(sa.insert(Visit), [dict(id=1, place_id="here", at=5), dict(id=2, place_id="here", at=6)])
        session.execute(sa.update(Visit).where(Visit.id == 2).values(before_id=1))
        query = sa.select(Visit.id, before.at, Place.open).join(before, before.id == Visit.before_id)
        row = session.execute(query.join(Place, Place.id == Visit.place_id)).one()
        assert (row.id, row.at, row.open) == (2, 5, True)
        session.execute(sa.delete(Visit).where(~sa.exists().where(before.before_id == Visit.id)))
        assert session.execute(sa.select(Visit)).one().said == "nothing"
