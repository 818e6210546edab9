"""What SQLite and Postgres say differently, said once."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Float, String, Table
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class lowered(FunctionElement[str]):  # noqa: N801 - it is used like a function
    """A text without capitals, of any script."""

    type = String()
    inherit_cache = True


@compiles(lowered, "sqlite")
def _lowered_by_sqlite(element: lowered, compiler: SQLCompiler, **options: Any) -> str:
    return f"lower({compiler.process(element.clauses, **options)})"


@compiles(lowered, "postgresql")
def _lowered_by_postgres(element: lowered, compiler: SQLCompiler, **options: Any) -> str:
    # Where text is ordered by code points, its own knows ASCII only.
    text = compiler.process(element.clauses, **options)
    return f'(lower({text} COLLATE "und-x-icu") COLLATE "C")'


class beginning(FunctionElement[str]):  # noqa: N801 - it is used like a function
    """As much of a text as an index holds: in Postgres one entry has room for 2,704 bytes."""

    type = String()
    inherit_cache = True


@compiles(beginning, "sqlite")
def _beginning_in_sqlite(element: beginning, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(beginning, "postgresql")
def _beginning_in_postgres(element: beginning, compiler: SQLCompiler, **options: Any) -> str:
    return f"left({compiler.process(element.clauses, **options)}, 256)"


class seconds(FunctionElement[float]):  # noqa: N801 - it is used like a function
    """The time by the clock of the database, which all processes share; as `time.time`."""

    type = Float()
    inherit_cache = True


@compiles(seconds, "sqlite")
def _seconds_of_sqlite(_element: seconds, _compiler: SQLCompiler, **_options: Any) -> str:
    return "seconds()"  # a function that its connections have


@compiles(seconds, "postgresql")
def _seconds_of_postgres(_element: seconds, _compiler: SQLCompiler, **_options: Any) -> str:
    return "extract(epoch FROM clock_timestamp())::float"


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write those rows whose key isn't there yet."""
    insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    if rows:
        connection.execute(insert(table).on_conflict_do_nothing(), rows)
