"""A statement of SQLAlchemy Core that is compiled once and then runs on the driver's own cursor.

For the few statements of a launch: there the way through `Connection.execute` costs more than the database. What is
written, and how values are converted on both dialects, stays Core's.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class Prepared:
    """`build` gives the statement for a dialect; all its values are bound by name. Every call must give the same names
    as the first one, which compiles it."""

    build: Callable[[str], sa.Executable]  # a SELECT, or an INSERT with or without RETURNING
    _compiled: dict[str, "_Compiled"] = field(default_factory=dict, init=False, repr=False)

    def first(self, connection: sa.Connection, values: Mapping[str, Any]) -> Any:
        """Run it in the connection's transaction; its first row, or None. Raises what `Connection.execute` would."""
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _compile(self.build(dialect.name), dialect, list(values))
        driver = connection.connection.dbapi_connection
        assert driver is not None
        cursor = driver.cursor()
        try:
            cursor.execute(compiled.sql, compiled.parameters(values))
            return compiled.row(cursor.fetchone()) if compiled.make_row else None
        except dialect.loaded_dbapi.Error as error:
            is_lost = dialect.is_disconnect(error, driver, cursor)
            if is_lost:
                connection.invalidate(error)  # so that the pool does not give it out again
            raise sa.exc.DBAPIError.instance(
                compiled.sql,
                None,
                error,
                dialect.loaded_dbapi.Error,
                hide_parameters=True,
                connection_invalidated=is_lost,
                dialect=dialect,
            ) from error
        finally:
            cursor.close()


@dataclass(frozen=True, kw_only=True)
class _Compiled:
    sql: str
    given: frozenset[str]  # names of the values that a call gives
    names: tuple[str, ...]  # the same in the order of the statement's places
    pick: Callable[[Mapping[str, Any]], Sequence[Any]]  # the values of these names
    to_driver: tuple[tuple[int, Convert], ...]  # for the places whose type converts
    is_positional: bool
    make_row: Callable[[Sequence[Any]], Any] | None
    from_driver: tuple[tuple[int, Convert], ...]

    def parameters(self, values: Mapping[str, Any]) -> Any:
        if values.keys() != self.given:
            raise TypeError(f"values for {sorted(self.given)} were expected, and not for {sorted(values)}")
        given = list(self.pick(values))
        for place, convert in self.to_driver:
            given[place] = convert(given[place])
        return given if self.is_positional else dict(zip(self.names, given, strict=True))

    def row(self, found: Sequence[Any] | None) -> Any:
        if found is None or self.make_row is None:
            return None
        got = list(found)
        for place, convert in self.from_driver:
            got[place] = convert(got[place])
        return self.make_row(got)


def _compile(statement: Any, dialect: sa.Dialect, names: list[str]) -> _Compiled:
    compiled = statement.compile(dialect=dialect, column_keys=names)
    order = tuple(compiled.positiontup or compiled.binds)  # a name may have several places
    assert set(order) <= set(names), f"values of its own: {set(order) - set(names)}"
    to_driver = [
        (place, convert)
        for place, name in enumerate(order)
        if (convert := compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
    ]
    columns = list(statement.exported_columns)  # of a SELECT, or of RETURNING
    from_driver = [
        (place, convert)
        for place, column in enumerate(columns)
        if (convert := column.type.dialect_impl(dialect).result_processor(dialect, None))
    ]
    return _Compiled(
        sql=str(compiled),
        given=frozenset(names),
        names=order,
        pick=itemgetter(*order) if len(order) > 1 else lambda values: [values[name] for name in order],
        to_driver=tuple(to_driver),
        is_positional=bool(compiled.positional),
        make_row=_row_type(columns) if columns else None,
        from_driver=tuple(from_driver),
    )


def _row_type(columns: Sequence[Any]) -> Callable[[Sequence[Any]], Any]:
    row: Any = namedtuple("Row", [column.key for column in columns])  # type: ignore[misc]  # names known at run time
    make: Callable[[Sequence[Any]], Any] = row._make
    return make
