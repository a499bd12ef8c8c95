#!/bin/sh
# Runs once, when the cluster is made: databases and roles as the pipeline expects them.
# Passwords come from the environment and go through psql variables, never through a command line or a log.
set -eu

psql --set ON_ERROR_STOP=1 --quiet --no-psqlrc --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv pipeline_password WAREHOUSE_PASSWORD
\getenv airflow_password AIRFLOW_DATABASE_PASSWORD

create role bi_reader nologin;
create role county_reader nologin;
-- The pipeline gives each county's role its rights, so it may make roles; it is no superuser.
create role pipeline login createrole password :'pipeline_password';
grant bi_reader, county_reader to pipeline with admin option;
create role airflow login password :'airflow_password';

create database warehouse owner pipeline template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C';
create database airflow owner airflow template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C';
revoke all on database warehouse from public;
revoke all on database airflow from public;
grant connect on database warehouse to bi_reader, county_reader;
SQL
