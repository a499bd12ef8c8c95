{#
    The rows of a CTE that fall into the CTE `slices`, with the area and the period of their slice; the body of a CTE. A row falls into a slice by the column `area`, which names its county or area, and in time either by a
    `day` of its own that lies in the period, or by columns that both have under the same name (`match`).
#}
{% macro in_slices(rows, area='area_code', day=none, match=none) -%}
    {{ matched_rows(rows, area, 'slices', 'area_code', day, match) }}
{%- endmacro %}

{# The same with the CTE `members`, which `slice_members` makes: a row falls into every area that its county belongs to. #}
{% macro in_members(rows, county, day=none, match=none) -%}
    {{ matched_rows(rows, county, 'members', 'county_code', day, match) }}
{%- endmacro %}

{% macro matched_rows(rows, area, slices, slice_area, day, match) -%}
    {%- if (day is none) == (match is none) -%}
        {%- do exceptions.raise_compiler_error("rows fall into slices by a day or by matching columns: give one of them") -%}
    {%- endif -%}
    {%- set there = (match or []) + ([area] if area == slice_area else []) -%}
    select
        {{ rows }}.*
        {%- for column in ['area_code', 'period_type', 'period_end'] if column not in there %},
        {{ slices }}.{{ column }}
        {%- endfor %}
    from {{ rows }}
    {%- if day %}
    inner join {{ ref('period_month') }} as period_month
        on date_trunc('month', {{ rows }}.{{ day }}::timestamp)::date = period_month.month_start
    {%- endif %}
    inner join {{ slices }}
        on
            {{ rows }}.{{ area }} = {{ slices }}.{{ slice_area }}
            {%- if day %}
            and period_month.period_type = {{ slices }}.period_type
            and period_month.period_end = {{ slices }}.period_end
            {%- endif %}
            {%- for column in match or [] %}
            and {{ rows }}.{{ column }} = {{ slices }}.{{ column }}
            {%- endfor %}
{%- endmacro %}
