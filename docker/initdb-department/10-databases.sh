#!/bin/sh
# Runs once, when the cluster is made: the stand-in departments' databases, and the role that the pipeline reads them
# with.
# Passwords come from the environment and go through psql variables, never through a command line or a log.
set -eu

psql --set ON_ERROR_STOP=1 --quiet --no-psqlrc --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv department_password DEPARTMENT_PASSWORD
\getenv reader_password DEPARTMENT_READER_PASSWORD

create role department login password :'department_password';
create role department_reader login password :'reader_password';
create database department_hrss owner department template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C';
revoke all on database department_hrss from public;
grant connect on database department_hrss to department_reader;
create database department_finance owner department template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C';
revoke all on database department_finance from public;
grant connect on database department_finance to department_reader;

-- Tables are made anew by each load: the reader may read those to come.
\connect department_hrss
alter schema public owner to department;
alter default privileges for role department in schema public grant select on tables to department_reader;

\connect department_finance
alter schema public owner to department;
alter default privileges for role department in schema public grant select on tables to department_reader;
SQL
