#!/bin/sh
# Runs once, when the cluster is made: the stand-in departments' databases, and the role that the pipeline reads them
# with.
# Passwords come from the environment and go through psql variables, never through a command line or a log.
set -eu

# made by `make docs` from the contracts: begin
databases='department_finance department_hrss'
# made by `make docs` from the contracts: end

run() {
  psql --set ON_ERROR_STOP=1 --quiet --no-psqlrc --username "$POSTGRES_USER" --dbname postgres "$@"
}

run <<'SQL'
\getenv department_password DEPARTMENT_PASSWORD
\getenv reader_password DEPARTMENT_READER_PASSWORD

-- A statement that fails is not logged: these hold passwords.
set log_statement = 'none';
set log_min_error_statement = 'panic';
create role department login password :'department_password';
create role department_reader login password :'reader_password';
SQL

for database in $databases; do
  run --set database="$database" <<'SQL'
create database :"database" owner department template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C';
revoke all on database :"database" from public;
grant connect on database :"database" to department_reader;

-- Tables are made anew by each load: the reader may read those to come.
\connect :database
alter schema public owner to department;
alter default privileges for role department in schema public grant select on tables to department_reader;
SQL
done
