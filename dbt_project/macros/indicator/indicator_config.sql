{# The settings that every indicator slice shares. `code` is the indicator's code in the catalogue, for example 'M01-3'. #}
{# dbt compares a slice without its contract's precisions, so 'fail' would refuse every build of parts; the contract
   itself still holds, since what is appended is cast to the columns that it made. #}
{% macro indicator_config(code) %}
    {{ config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='append_new_columns',
        schema='build',
        tags=['cells', 'indicator'],
        pre_hook="{{ delete_affected_slices('" ~ code ~ "') }}"
    ) }}
{% endmacro %}
