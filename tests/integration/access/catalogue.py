"""What the server's catalogue says that each role may do, in the form of `expected.yaml`."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import psycopg

from threegaps.one_machine.postgres import SUPERUSER

PUBLIC = "public"
OWNER = "pipeline"
# Schemas of the server itself. What everybody may do there is asked of by function, below.
_OWN = "n.nspname !~ '^pg_' and n.nspname <> 'information_schema'"
_RIGHTS = """
select {thing}, coalesce(r.rolname, 'public'), a.privilege_type
from {source}
cross join lateral aclexplode(coalesce({acl}, acldefault('{kind}', {owner}))) as a
left join pg_roles as r on r.oid = a.grantee
where {where}
"""


def rights(connection: psycopg.Connection[Any], kind: str) -> dict[str, dict[str, set[str]]]:
    """Of each schema, relation, column, function or the database: role to its rights, the owners' left out."""
    things = {
        "database": ("d.datname", "pg_database as d", "d.datacl", "d", "d.datdba", "d.datname = current_database()"),
        "schema": ("n.nspname", "pg_namespace as n", "n.nspacl", "n", "n.nspowner", _OWN),
        "relation": (
            "n.nspname || '.' || c.relname",
            "pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace",
            "c.relacl",
            "r",
            "c.relowner",
            f"{_OWN} and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')",
        ),
        "column": (
            "n.nspname || '.' || c.relname || '.' || t.attname",
            "pg_attribute as t inner join pg_class as c on c.oid = t.attrelid"
            " inner join pg_namespace as n on n.oid = c.relnamespace",
            "t.attacl",
            "c",
            "c.relowner",
            f"{_OWN} and t.attacl is not null",
        ),
        "function": (
            "n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'",
            "pg_proc as p inner join pg_namespace as n on n.oid = p.pronamespace",
            "p.proacl",
            "f",
            "p.proowner",
            _OWN,
        ),
    }
    thing, source, acl, letter, owner, where = things[kind]
    query = _RIGHTS.format(thing=thing, source=source, acl=acl, kind=letter, owner=owner, where=where)
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name, role, right in connection.execute(query.encode()):
        found[name]
        # The schema `public` belongs to whoever owns the database, and `access` to the server's superuser.
        if role not in {OWNER, "pg_database_owner", SUPERUSER}:
            found[name][role].add(right)
    return {name: dict(roles) for name, roles in found.items()}


def rows_seen(connection: psycopg.Connection[Any], role: str, relation: str) -> str:
    """Which rows of a relation that it may read a role sees, as `expected.yaml` calls them."""
    kind, is_secured, options = connection.execute(
        "select relkind, relrowsecurity, coalesce(reloptions, '{}') from pg_class where oid = to_regclass(%s)",
        [relation],
    ).fetchone() or (None, None, None)
    if kind == "v":
        return "view" if "security_invoker=true" in options else "view with its owner's rights"
    if not is_secured:
        return "every"
    conditions = [
        str(row[0])
        for row in connection.execute(
            "select pg_get_expr(polqual, polrelid) from pg_policy"
            " where polrelid = to_regclass(%s) and (select oid from pg_roles where rolname = %s) = any(polroles)",
            [relation, role],
        )
    ]
    if not conditions:
        return "none"
    if conditions == ["true"]:
        return "every"
    own = '(area_code = ( SELECT (marts.county_of(CURRENT_USER) COLLATE "default") AS county_of))'
    known = {f"((audience = 'public'::text) OR {own})": "own_and_public", own: "own"}
    return known.get(conditions[0], conditions[0]) if len(conditions) == 1 else " and also ".join(conditions)


def open_functions(connection: psycopg.Connection[Any]) -> list[str]:
    """Functions of the server by which anybody could hold our locks, store what nobody sees, or fill log and queues."""
    rows = connection.execute(
        "select p.oid::regprocedure::text from pg_proc as p where p.pronamespace = 'pg_catalog'::regnamespace"
        " and (p.proname ~ 'advisory' or p.proname ~ '^lo(_|read|write)' or p.proname ~ 'emit_message|^pg_notify')"
        " and has_function_privilege('public', p.oid, 'execute') order by 1"
    )
    return [str(row[0]) for row in rows]
