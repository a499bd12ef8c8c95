"""The watch: sees what somebody should look at, and tells them, when nobody runs and Airflow does not either.

One small process. Standard library, psycopg and yaml: nothing here imports Airflow, polars, pandas, dbt or pydantic.
"""
