{#-
    A wide mart: one row per area, period type and period, a column per indicator.

    Which cell a column shows stands in the meta of the column in the model's YAML (indicator_code, breakdown,
    breakdown_value), so that the YAML is the only list of columns.
-#}
{% macro wide_mart() %}
    {%- set shown = [] -%}
    {%- for column in model.columns.values() -%}
        {%- set meta = column.get('config', {}).get('meta') or column.get('meta', {}) -%}
        {%- if meta.get('indicator_code') -%}
            {%- do shown.append((column.name, meta)) -%}
        {%- endif -%}
    {%- endfor %}
    select
        cell.area_code,
        cell.area_level,
        cell.period_type,
        cell.period_start,
        cell.period_end,
        cell.period_label,
        {%- for name, meta in shown %}
        max(cell.value) filter (
            where
            cell.indicator_code = '{{ meta.indicator_code }}'
            and cell.breakdown = '{{ meta.breakdown }}'
            and cell.breakdown_value = '{{ meta.breakdown_value }}'
        ) as {{ name }},
        {%- endfor %}
        max(cell.data_as_of) as data_as_of
    from {{ ref('indicator_value') }} as cell
    where
        cell.audience = 'public'
        and cell.indicator_code = any(array[
            {%- for code in shown | map(attribute=1) | map(attribute='indicator_code') | unique -%}
                '{{ code }}'{{ ', ' if not loop.last }}
            {%- endfor -%}
        ]::text[])
    group by
        cell.area_code,
        cell.area_level,
        cell.period_type,
        cell.period_start,
        cell.period_end,
        cell.period_label
{% endmacro %}
