{# The settings that every indicator slice shares; which indicator it is stands in the meta of its YAML. #}
{% macro indicator_config() %}
    {{ config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='append_new_columns',
        schema='build',
        tags=['indicator'],
        pre_hook="{{ delete_affected_slices() }}"
    ) }}
{% endmacro %}
