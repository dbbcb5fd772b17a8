"""Prints the rows of a Parquet file as JSON, as DuckDB or PyArrow reads it."""

import datetime
import json
import sys
from collections.abc import Iterator
from typing import Any


def duckdb_rows(path: str) -> Iterator[dict[str, Any]]:
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    # Without this, the folder day=… would be a column of its own.
    query = connection.execute("SELECT * FROM read_parquet(?, hive_partitioning = false)", [path])
    names = [column[0] for column in query.description]
    for row in query.fetchall():
        yield dict(zip(names, row))


def pyarrow_rows(path: str) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet

    yield from pyarrow.parquet.ParquetFile(path).read().to_pylist()


def text(value: Any) -> str:
    if isinstance(value, datetime.datetime):
        # DuckDB gives times without a zone if pytz is not there.
        utc = value if value.tzinfo is None else value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return utc.isoformat(timespec="microseconds") + "Z"
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError(type(value))


if __name__ == "__main__":
    read = {"duckdb": duckdb_rows, "pyarrow": pyarrow_rows}[sys.argv[1]]
    for row in read(sys.argv[2]):
        print(json.dumps(row, default=text))
