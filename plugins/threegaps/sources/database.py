"""A department's own PostgreSQL database: one table or view, by windows of its update time or as a whole.

The server writes the rows as CSV (COPY), every column as text, with NULL as an empty field; what it sends is landed as
it comes. What is read is read in one snapshot, so rows that change meanwhile belong to the next window. What the
server's administrator has set decides nothing: the session sets encoding, time zone, styles, search path and limits.

Rows that no window can hold (no update time, one before the declared start, one in the far future) are fetched beside
the window, in the same snapshot, as a part of their own: they are refused by name instead of never being seen.

Where the departments are real (``THREEGAPS_SANDBOX=0``) the connection is encrypted and the server's certificate
verified for its name, unless the connection's extra ``sslmode`` says that its authority is enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any

import psycopg
from psycopg import errors, sql

from threegaps import connections
from threegaps.connections import Connection
from threegaps.contracts.model import Contract
from threegaps.contracts.options.formats import CsvFormat
from threegaps.contracts.options.sources import DatabaseSource
from threegaps.contracts.reach import FUTURE_DAYS
from threegaps.errors import ContractError, FeedError, SettingsError
from threegaps.landing.store import Arrival
from threegaps.ledger.landed import OUTSIDE_PART
from threegaps.settings import Settings
from threegaps.sources.trouble import (
    BROKEN,
    NO_ANSWER,
    NO_NAME,
    NO_ROUTE,
    REFUSED,
    Reason,
    address_of,
    refused_login,
    silence,
    unreachable,
    untrusted,
)

_CONNECT_SECONDS = 10
_STATEMENT_SECONDS = 3600
_LOCK_SECONDS = 60

_SESSION: Mapping[str, str] = {
    "client_encoding": "UTF8",
    "TimeZone": "Asia/Shanghai",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "iso_8601",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "xmlbinary": "base64",
    "lc_monetary": "C",
    "lc_numeric": "C",
    "lc_time": "C",
    "standard_conforming_strings": "on",
    "search_path": "",
    "default_transaction_read_only": "on",
    "statement_timeout": f"{_STATEMENT_SECONDS}s",
    "lock_timeout": f"{_LOCK_SECONDS}s",
    "idle_in_transaction_session_timeout": f"{_STATEMENT_SECONDS}s",
}

# What libpq takes from a connection's extra; nothing else is passed on.
_TLS_OPTIONS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "ssl_min_protocol_version")
_VERIFYING = ("verify-full", "verify-ca")

# The server gives no code before a session stands, only its message, in its own language.
_NO_ENTRY = "no pg_hba.conf entry"
_BAD_LOGIN_ZH: Mapping[str, str] = {
    _NO_ENTRY: "其访问规则不允许本机登录",
    "authentication failed": "用户名或口令不被接受",
    "does not exist": "用户或数据库不存在",
    "permission denied": "没有权限",
    "认证失败": "用户名或口令不被接受",
    "不存在": "用户或数据库不存在",
    "权限不够": "没有权限",
}
_BAD_LOGIN = tuple(_BAD_LOGIN_ZH)
_BAD_TLS = ("certificate", "SSL", "TLS")
# What libpq says on this side of the connection.
_UNREACHED: Mapping[str, Reason] = {
    "Connection refused": REFUSED,
    "timeout expired": NO_ANSWER,
    "could not translate host name": NO_NAME,
    "failed to resolve host": NO_NAME,
    "No route to host": NO_ROUTE,
    "Network is unreachable": NO_ROUTE,
    "server closed the connection": BROKEN,
    "Connection reset by peer": BROKEN,
}
_NO_SESSION = Reason("unreachable", "it gives no session", "未能建立会话")

_ORDERABLE = frozenset({"timestamp", "timestamptz", "date"})


class DatabaseTable:
    """One table of a department's database; see `open_table`."""

    def __init__(self, contract: Contract, connection: psycopg.Connection[Any]) -> None:
        if not isinstance(contract.source, DatabaseSource):
            raise ContractError("The feed is no table of a database.", feed=contract.feed)
        self._contract = contract
        self._connection = connection
        self._source = contract.source
        self._name = f"{self._source.schema_name}.{self._source.table}"

    def close(self) -> None:
        """End the snapshot; nothing is lost when the connection is gone already."""
        with suppress(psycopg.Error):
            self._connection.execute("rollback")

    def window(self, updated_from: str, updated_to: str) -> Sequence[Arrival]:
        """The rows updated from *updated_from* (inclusive) to *updated_to* (exclusive), and those that no window holds.

        Raises:
            FeedError: The table or its update time is not there, cannot be ordered, or too many rows lie outside.
            SourceUnavailableError: The connection broke.
        """
        watermark = self._contract.watermark
        if watermark is None:
            raise ContractError("The table is not read by windows.", feed=self._contract.feed)
        field = self._contract.by_name[watermark.column].source_name
        with _in_our_words(self._contract, self._name):
            selected = self._begin(field)
            column = sql.Identifier(field)
            bounds = {
                "column": column,
                "start": sql.Literal(watermark.start),
                "low": sql.Literal(updated_from),
                "high": sql.Literal(updated_to),
                "days": sql.Literal(FUTURE_DAYS),
            }
            outside = sql.SQL(
                "{column} is null or {column} < {start}::timestamp or {column} >="
                " greatest({high}::timestamp, localtimestamp) + make_interval(days => {days})"
            ).format(**bounds)
            inside = sql.SQL(
                "{column} >= {low}::timestamp and {column} < {high}::timestamp and not ({outside})"
            ).format(**bounds, outside=outside)
            count = self._count(outside)
        if count > self._source.most_unordered:
            raise FeedError(
                f"{count} rows of the table have no update time, one before {watermark.start}, or one in the future: no"
                " window can hold them.",
                feed=self._contract.feed,
                file=self._name,
                column=watermark.column,
                advice="ask the department to mend the column; more are allowed by the contract's `mostUnordered`.",
            )
        arrivals = [
            Arrival(
                part="window",
                source_name=f"{self._name}.csv",
                chunks=lambda: self._copy(selected, inside, column),
                watermark_from=updated_from,
                watermark_to=updated_to,
            )
        ]
        if count:
            arrivals.insert(
                0,
                Arrival(
                    part=OUTSIDE_PART,
                    source_name=f"{self._name}.outside.csv",
                    chunks=lambda: self._copy(selected, outside, column),
                ),
            )
        return arrivals

    def everything(self) -> Sequence[Arrival]:
        """The whole table as it stands, as one part."""
        with _in_our_words(self._contract, self._name):
            selected = self._begin(None)
        return [Arrival(part="table", source_name=f"{self._name}.csv", chunks=lambda: self._copy(selected, None, None))]

    def _begin(self, field: str | None) -> sql.Composable:
        """Begin the snapshot, and look what there is to read: every column that the table has now.

        A new or a missing one is for the contract's rules to judge.
        """
        self._connection.execute("begin isolation level repeatable read, read only")
        rows = self._connection.execute(
            "select a.attname, coalesce(b.typname, t.typname) from pg_catalog.pg_attribute as a"
            " join pg_catalog.pg_class as c on c.oid = a.attrelid"
            " join pg_catalog.pg_namespace as n on n.oid = c.relnamespace"
            " join pg_catalog.pg_type as t on t.oid = a.atttypid"
            " left join pg_catalog.pg_type as b on t.typtype = 'd' and b.oid = t.typbasetype"
            " where n.nspname = %s and c.relname = %s and a.attnum > 0 and not a.attisdropped order by a.attnum",
            [self._source.schema_name, self._source.table],
        ).fetchall()
        types = {_text(name): _text(kind) for name, kind in rows}
        if not types or (field is not None and field not in types):
            column = next((column.name for column in self._contract.columns if column.source_name == field), None)
            host, port = address_of(self._contract)
            raise FeedError(
                f"The department's database has no column {field!r} where the contract says."
                if types
                else "The department's database has no table where the contract says.",
                feed=self._contract.feed,
                file=self._name,
                column=column if types else None,
                cause="not_there",
                host=host,
                port=port,
                advice="ask the department what was renamed, then mend the contract.",
            )
        if field is not None and types[field] not in _ORDERABLE:
            raise FeedError(
                "The update time of the table is of a type that windows cannot order.",
                feed=self._contract.feed,
                file=self._name,
                advice="ask the department for a view in which it is a timestamp, and name that in the contract.",
            )
        return sql.SQL(", ").join(_as_text(name, kind) for name, kind in types.items())

    def _count(self, condition: sql.Composable) -> int:
        """How many rows meet *condition*, up to one more than may."""
        row = self._connection.execute(
            sql.SQL("select count(*) from (select 1 from {} where {} limit {}) as counted").format(
                sql.Identifier(self._source.schema_name, self._source.table),
                condition,
                sql.Literal(self._source.most_unordered + 1),
            )
        ).fetchone()
        return 0 if row is None else int(row[0])

    def _copy(
        self, selected: sql.Composable, condition: sql.Composable | None, order: sql.Composable | None
    ) -> Iterator[bytes]:
        command = sql.SQL("copy (select {} from {}{}{}) to stdout (format csv, header)").format(
            selected,
            sql.Identifier(self._source.schema_name, self._source.table),
            sql.SQL("") if condition is None else sql.SQL(" where {}").format(condition),
            sql.SQL("") if order is None else sql.SQL(" order by {}").format(order),
        )
        left = self._source.largest_mib << 20
        with (
            _in_our_words(self._contract, self._name),
            self._connection.cursor() as cursor,
            cursor.copy(command) as copy,
        ):
            for chunk in copy:
                left -= len(chunk)
                if left < 0:
                    raise FeedError(
                        f"The table gives more than {self._source.largest_mib} MiB at once.",
                        feed=self._contract.feed,
                        file=self._name,
                        cause="limit_exceeded",
                        advice="larger ones are allowed by the contract's `largestMib`.",
                    )
                yield bytes(chunk)


@contextmanager
def open_table(contract: Contract) -> Iterator[DatabaseTable]:
    """The table of *contract*'s connection.

    Raises:
        SettingsError: The connection is not encrypted as it must be.
        FeedError: The login is not accepted, or the server does not show that it is the department's.
        SourceUnavailableError: The database does not answer.
    """
    silence("psycopg")
    connection = connections.get(contract.connection_id)
    try:
        opened = psycopg.connect(
            host=connection.host,
            port=connection.port or 5432,
            user=connection.login,
            password=connection.password,
            dbname=connection.schema,
            connect_timeout=_CONNECT_SECONDS,
            autocommit=True,
            application_name="threegaps",
            **_tls(connection),
        )
    except psycopg.OperationalError as error:
        raise _not_connected(contract, str(error)) from None
    with closing(opened):
        with _in_our_words(contract):
            _prepare(contract, opened)
        table = DatabaseTable(contract, opened)
        yield table
        table.close()


def _tls(connection: Connection) -> dict[str, Any]:
    """The TLS options of a connection, made safe where there is someone to protect."""
    options = {name: connection.extra[name] for name in _TLS_OPTIONS if connection.extra.get(name)}
    if Settings.load().is_sandbox:
        return options
    options.setdefault("sslmode", "verify-full")
    if options["sslmode"] not in _VERIFYING:
        raise SettingsError(
            f"The connection {connection.connection_id!r} would not verify the server: its sslmode is none of"
            f" {', '.join(_VERIFYING)}.",
            advice="leave `sslmode` out (verify-full), and name the authority's certificate as `sslrootcert`.",
        )
    # Without a file of its own libpq looks into the user's folder, where there is none.
    options.setdefault("sslrootcert", "system")
    if options["sslrootcert"] == "system":
        options["sslmode"] = "verify-full"
    return options


def _prepare(contract: Contract, connection: psycopg.Connection[Any]) -> None:
    """Set the session, so that the server's own settings decide nothing."""
    encoding = str(connection.info.parameter_status("server_encoding") or "")
    settings = dict(_SESSION)
    declared = contract.file_format.encoding if isinstance(contract.file_format, CsvFormat) else "utf-8"
    if encoding == "SQL_ASCII":
        # Such a server stores bytes of any encoding and converts none: they are decoded as the contract says.
        settings["client_encoding"] = "SQL_ASCII"
    elif declared.replace("-", "").replace("_", "").lower() not in {"utf8", "utf8sig"}:
        raise ContractError(
            "The database sends what it has in UTF-8, and the contract's format says otherwise.",
            feed=contract.feed,
            advice="say `encoding: utf-8` in customProperties/fileFormat.",
        )
    for name, value in settings.items():
        connection.execute("select pg_catalog.set_config(%s, %s, false)", [name, value])


def _as_text(name: str, kind: str) -> sql.Composed:
    """A column as text that no setting changes; instants on Shanghai's clock, as the contract counts time."""
    cast = {
        "timestamptz": "({0} at time zone 'Asia/Shanghai')::pg_catalog.text",
        "money": "{0}::pg_catalog.numeric::pg_catalog.text",
    }.get(kind, "{0}::pg_catalog.text")
    return sql.SQL(cast + " as {0}").format(sql.Identifier(name))


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _not_connected(contract: Contract, said: str) -> FeedError:
    """The error for a session that did not come to be; what the server said is recognised and not repeated."""
    lines = said.strip().splitlines()
    bad = next((word for line in lines for word in _BAD_LOGIN if word in line), None)
    if bad == _NO_ENTRY:
        return refused_login(contract, bad, _BAD_LOGIN_ZH[bad])
    tls = next((line for line in lines if any(word in line for word in _BAD_TLS)), None)
    if tls is not None:
        return untrusted(
            contract,
            "its certificate is not accepted" if "certificate" in tls else "it does not speak TLS as it must",
            "其证书不被接受" if "certificate" in tls else "其加密方式不符合要求",
            f"ask the department; the connection {contract.connection_id!r} names its authority as `sslrootcert`.",
        )
    if bad is not None:
        return refused_login(contract, bad, _BAD_LOGIN_ZH[bad])
    reason = next((said for line in lines for word, said in _UNREACHED.items() if word in line), _NO_SESSION)
    return unreachable(contract, reason)


@contextmanager
def _in_our_words(contract: Contract, name: str | None = None) -> Iterator[None]:
    """Say what the server or the driver has against us, without the server's words, which may hold values.

    No cause is chained: a task's log prints causes whole.
    """
    try:
        yield
    except errors.InsufficientPrivilege:
        what = name or f"connection {contract.connection_id}"
        raise refused_login(contract, f"permission denied for {what}", f"无权读取 {what}") from None
    except (errors.QueryCanceled, errors.LockNotAvailable):
        raise unreachable(contract, NO_ANSWER) from None
    except psycopg.OperationalError as error:
        broke = Reason("unreachable", f"the connection broke ({type(error).__name__})", "连接中断")
        raise unreachable(contract, broke) from None
    except (psycopg.Error, UnicodeError) as error:
        code = getattr(error, "sqlstate", None)
        raise FeedError(
            f"The department's database does not give its rows out ({type(error).__name__}"
            f"{f', SQLSTATE {code}' if code else ''}).",
            feed=contract.feed,
            file=name,
            connection_id=None if name else contract.connection_id,
            advice="ask the department to look at the table; its own log has the question and the reason.",
        ) from None
