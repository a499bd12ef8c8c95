{# The settings that every indicator slice shares. `code` is the indicator's code in the catalogue, for example 'M01-3'. #}
{% macro indicator_config(code) %}
    {{ config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        schema='build',
        tags=['cells', 'indicator'],
        pre_hook="{{ delete_affected_slices('" ~ code ~ "') }}"
    ) }}
{% endmacro %}
