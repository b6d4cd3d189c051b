"""How columns of other databases are read, so that no value changes on its way."""

from typing import Any


def read_as(column: Any, declared: str | None) -> Any:
    """The expression that reads a column, whose type is one that arrives as it is.

    Args:
        column: SQLAlchemy's column, as it was reflected.
        declared: The type that the YAML gives it, in dlt's words.
    """
    import sqlalchemy as sa
    from sqlalchemy import types

    kind = column.type
    name = getattr(kind, "__visit_name__", "").upper()
    if declared == "text" and not isinstance(kind, types.String):
        return sa.cast(column, sa.UnicodeText())
    if isinstance(kind, types.Float) or (declared == "double" and isinstance(kind, types.Numeric)):
        return sa.type_coerce(column, sa.Numeric(asdecimal=False))  # what dlt takes for a float, and MySQL gives as one
    if name in ("MONEY", "SMALLMONEY"):
        return sa.cast(column, sa.Numeric(19, 4))
    if isinstance(kind, types.Integer) and getattr(kind, "unsigned", False) and isinstance(kind, types.BigInteger):
        return sa.cast(column, sa.Numeric(20, 0))  # greater than any signed number of eight bytes
    if name == "BIT" and getattr(kind, "length", None) is not None and type(kind).__module__.endswith("mysql.types"):
        number = sa.cast(column, sa.Integer())
        return sa.type_coerce(number, sa.Boolean()) if kind.length == 1 else number
    if isinstance(kind, types.TIMESTAMP) and type(kind).__module__.startswith("sqlalchemy.dialects.mysql"):
        # A moment: the session's zone, which is UTC, is that of its values.
        return sa.type_coerce(column, sa.TIMESTAMP(timezone=True))
    if name == "SET" or (isinstance(kind, types.Time) and getattr(kind, "timezone", False)) or not _known(kind):
        return sa.cast(column, sa.UnicodeText())
    return column


def _known(kind: Any) -> bool:
    """Whether dlt has a type for it."""
    from sqlalchemy import types

    mapped = (types.Numeric, types.Integer, types.String, types._Binary, types.DateTime, types.Date, types.Time)
    return isinstance(kind, (*mapped, types.JSON, types.ARRAY, types.Boolean, types.Uuid))
