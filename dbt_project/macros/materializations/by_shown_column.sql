{#-
    A wide mart: a build of parts makes it anew only where it affects an indicator that one of its columns shows, or one that is
    linked with such. Otherwise it stays as it stands; any other build, and dbt run by hand, makes it anew.
-#}
{% materialization by_shown_column, adapter='postgres' %}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- if existing_relation is none or should_full_refresh() or not makes_slices_only() -%}
        {{ return(context['materialization_table_default']()) }}
    {%- endif -%}
    {%- set codes = slice_codes('linked') -%}
    {%- set affected = [] -%}
    {%- for column in model.columns.values() -%}
        {%- set meta = column.get('config', {}).get('meta') or column.get('meta', {}) -%}
        {%- do affected.append(meta.indicator_code) if meta.get('indicator_code') in codes -%}
    {%- endfor -%}
    {%- if affected -%}
        {{ return(context['materialization_table_default']()) }}
    {%- endif -%}
    {%- call statement('main') -%}
        select 1
    {%- endcall -%}
    {{ return({'relations': [existing_relation]}) }}
{% endmaterialization %}
