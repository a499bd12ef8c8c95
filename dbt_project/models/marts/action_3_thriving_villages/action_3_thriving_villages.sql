{{ config(materialized='by_shown_column') }}

{{ wide_mart() }}
