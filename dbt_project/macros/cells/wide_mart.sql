{#-
    A wide mart: one row per area and period, three columns per indicator: what is settled, what is provisional, and why
    there is what there is. A figure stands in one of the first two, so that a chart of either shows one kind alone.

    Which cell a column shows, and what of it, stands in the meta of the column in the model's YAML (indicator_code,
    breakdown, breakdown_value, shows), so that the YAML is the only list of columns.
-#}
{% macro wide_mart() %}
    {%- set shown = [] -%}
    {%- for column in model.columns.values() -%}
        {%- set meta = column.get('config', {}).get('meta') or column.get('meta', {}) -%}
        {%- if meta.get('indicator_code') -%}
            {%- do shown.append((column.name, meta)) -%}
        {%- endif -%}
    {%- endfor %}
    with

    indicator_value as (
        select * from {{ ref('indicator_value') }}
    ),

    dim_area as (
        select * from {{ ref('dim_area') }}
    ),

    cells as (
        select
            *,
            case when value_status = 'reported' then maturity else value_status end as cell_status
        from indicator_value
        where
            audience = 'public'
            and indicator_code = any(array[
                {%- for code in shown | map(attribute=1) | map(attribute='indicator_code') | unique -%}
                    '{{ code }}'{{ ', ' if not loop.last }}
                {%- endfor -%}
            ]::text[])
    ),

    pivoted as (
        select
            area_code,
            area_level,
            period_type,
            period_start,
            period_end,
            period_label,
            {%- for name, meta in shown %}
            {%- set is_the_cell -%}
                indicator_code = '{{ meta.indicator_code }}'
                and breakdown = '{{ meta.breakdown }}'
                and breakdown_value = '{{ meta.breakdown_value }}'
            {%- endset %}
            {%- if meta.shows == 'status' %}
            coalesce(max(cell_status) filter (where {{ is_the_cell }}), 'not_computed') as {{ name }},
            {%- else %}
            max(value) filter (where {{ is_the_cell }} and maturity = '{{ meta.shows }}') as {{ name }},
            {%- endif %}
            {%- endfor %}
            max(data_as_of) as data_as_of
        from cells
        group by
            area_code,
            area_level,
            period_type,
            period_start,
            period_end,
            period_label
    )

    select
        pivoted.*,
        area.name_zh as area_name_zh,
        area.name_en as area_name_en,
        parent.name_zh as parent_name_zh,
        parent.name_en as parent_name_en
    from pivoted
    left join dim_area as area
        on pivoted.area_code = area.area_code
    left join dim_area as parent
        on area.parent_code = parent.area_code
{% endmacro %}
