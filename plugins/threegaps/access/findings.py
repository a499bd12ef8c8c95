"""What stands open that should not: where the superuser has not run our SQL, or has made logins by hand."""

from __future__ import annotations

from typing import Any

import psycopg

_OPEN_FUNCTIONS = """
select count(*)
from pg_proc as p
where p.pronamespace = 'pg_catalog'::regnamespace
    and (p.proname ~ '^(pg_(try_)?advisory_|lo_)'
        or p.proname in ('loread', 'lowrite', 'pg_logical_emit_message', 'pg_notify'))
    and has_function_privilege('public', p.oid, 'execute')
"""

_OPEN_DATABASE = """
select count(*)
from pg_database as d
cross join lateral aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) as a
where d.datname = current_database() and a.grantee = 0
"""

# Members through other roles, too; a superuser is a member of everything.
_UNWATCHED = """
select count(*)
from pg_roles as r
where r.rolcanlogin and not r.rolsuper and r.rolname <> 'pipeline'
    and exists (select from pg_roles where rolname = 'statistician')
    and pg_has_role(r.oid, (select oid from pg_roles where rolname = 'statistician'), 'member')
    and not exists (
        select from pg_db_role_setting as s
        inner join pg_database as d on d.datname = current_database() and s.setdatabase in (0, d.oid)
        where s.setrole = r.oid and 'log_statement=all' = any(s.setconfig)
    )
"""

# A login that was made by hand may open any number of sessions.
_UNBOUNDED = """
select count(distinct r.oid)
from pg_roles as r
inner join pg_auth_members as m on m.member = r.oid
inner join pg_roles as g on g.oid = m.roleid
where r.rolcanlogin and not r.rolsuper and r.rolname <> 'pipeline' and r.rolconnlimit < 0
    and g.rolname in ('bi_reader', 'county_reader', 'statistician', 'duty_desk')
"""

# Rights are given to groups: what a login owns or may do of its own, nobody sees and no migration takes back. Nor has a
# reader anything to do in a group of the server's own, or the duty page's login in any but its two.
_BEYOND = """
select count(*)
from pg_roles as r
where r.rolcanlogin and not r.rolsuper and r.rolname <> 'pipeline'
    and exists (
        select
        from pg_auth_members as m
        inner join pg_roles as g on g.oid = m.roleid
        where m.member = r.oid and g.rolname in ('bi_reader', 'county_reader', 'statistician', 'duty_desk')
    )
    and (
        exists (
            select
            from pg_shdepend as d
            where d.refclassid = 'pg_authid'::regclass and d.refobjid = r.oid and d.deptype in ('a', 'o')
                and d.dbid in (0, (select oid from pg_database where datname = current_database()))
                -- what it has set for what it makes itself, which it may, and does not make
                and d.classid <> 'pg_default_acl'::regclass
        )
        or exists (
            select
            from pg_auth_members as m
            inner join pg_roles as g on g.oid = m.roleid
            where m.member = r.oid
                and (g.rolname ~ '^pg_' or r.rolname = 'threegaps_duty' and g.rolname not in ('bi_reader', 'duty_desk'))
        )
    )
"""

_UNLIMITED = """
select count(*)
from pg_database as d
where d.datname = current_database() and not exists (
    select from pg_db_role_setting as s
    where s.setdatabase = d.oid and s.setrole = 0
        and s.setconfig::text ~ 'statement_timeout=' and s.setconfig::text ~ 'temp_file_limit='
)
"""

# Whether a reader has changed its password can only be asked where the superuser has made the function for it.
_NOT_COMPARED = """
select count(*) where to_regprocedure('access.password_is(name,text)') is null
"""

_SAID = (
    (_OPEN_FUNCTIONS, "everybody may call {} of the server's functions by which it can be stopped or filled"),
    (_OPEN_DATABASE, "everybody has {} rights on the database"),
    (_UNWATCHED, "of {} logins that may see exact values, what is asked is not logged"),
    (_UNBOUNDED, "{} logins of readers may open any number of sessions"),
    (_BEYOND, "{} logins of readers have rights beyond those of their kind"),
    (_UNLIMITED, "readers' sessions have no limits"),
    (_NOT_COMPARED, "whether readers have changed their passwords cannot be told"),
)


def findings(connection: psycopg.Connection[Any]) -> list[str]:
    """What is open in the warehouse of *connection*, a sentence each; none where all is closed."""
    found = []
    for query, said in _SAID:
        row = connection.execute(query.encode()).fetchone()
        if row is not None and row[0]:
            found.append(said.format(row[0]))
    return found
