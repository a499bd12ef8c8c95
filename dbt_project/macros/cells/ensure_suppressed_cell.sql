{#- The disclosure step writes this table between the two invocations; an empty one serves until then. -#}
{% macro ensure_suppressed_cell() %}
    create schema if not exists {{ target.schema }};
    create table if not exists {{ target.schema }}.suppressed_cell (
        indicator_code text not null,
        area_code text not null,
        period_type text not null,
        period_start date not null,
        breakdown text not null,
        breakdown_value text not null,
        reason text not null,
        primary key (indicator_code, area_code, period_type, period_start, breakdown, breakdown_value)
    )
{% endmacro %}
