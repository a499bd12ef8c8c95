#!/bin/sh
# Runs once, when the cluster is made: databases and roles as the pipeline expects them.
# Passwords come from the environment and go through psql variables, never through a command line or a log.
# ACCESS_FOLDER holds the package's roles.sql and warehouse.sql, which close the server to readers.
set -eu

run() {
  psql --set ON_ERROR_STOP=1 --quiet --no-psqlrc --username "$POSTGRES_USER" "$@"
}

run --dbname postgres <<'SQL'
\getenv pipeline_password WAREHOUSE_PASSWORD
\getenv airflow_password AIRFLOW_DATABASE_PASSWORD

-- A statement that fails is not logged: these hold passwords.
set log_statement = 'none';
set log_min_error_statement = 'panic';
create role pipeline login password :'pipeline_password';
create role airflow login password :'airflow_password';

create database warehouse owner pipeline template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C';
create database airflow owner airflow template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C';
revoke all on database warehouse from public;
revoke all on database airflow from public;
SQL

run --dbname postgres --file "$ACCESS_FOLDER/roles.sql"
run --dbname warehouse --file "$ACCESS_FOLDER/warehouse.sql"
