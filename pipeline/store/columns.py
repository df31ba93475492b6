"""The types of columns, alike on every database, and the base of all tables."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    DateTime,
    Dialect,
    Integer,
    MetaData,
    Numeric,
    String,
    TypeDecorator,
)
from sqlalchemy import Text as PlainText
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeEngine

from pipeline.normalize import make_storable

BigId = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """A zone-aware datetime, kept in UTC on every database. A naive one is refused with ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone can't be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class ExactAmount(TypeDecorator[Decimal]):
    """A sum of money, 26 digits before and 4 behind the point, never a float. SQLite has no exact decimals: there
    it is text of a fixed width, which sorts as the sums do. A negative or longer one is refused with ValueError."""

    impl = Numeric(30, 4)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String(31) if dialect.name == "sqlite" else Numeric(30, 4))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        written = format(value, "031.4f")
        if value < 0 or len(written) > 31:
            raise ValueError(f"{value} can't be stored as a sum of money")
        return written if dialect.name == "sqlite" else Decimal(written)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class Text(TypeDecorator[str]):
    """Text of a page, made storable: PostgreSQL takes no NUL, and a lone surrogate can't be encoded."""

    impl = PlainText
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else make_storable(value)


class Base(DeclarativeBase):
    """Shared metadata with names for constraints, so that migrations can name them on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {dict[str, Any]: JSON, list[Any]: JSON, datetime: UtcDateTime(), date: Date()}  # noqa: RUF012
