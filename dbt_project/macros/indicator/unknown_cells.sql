{#
    Each part of the indicator in the slices of a CTE, with nothing said of it; the body of a CTE. For slices of which nothing can
    be known, where a cell that is missing would be taken for one of nobody.
#}
{% macro unknown_cells(slices) -%}
    select
        {{ slices }}.area_code,
        {{ slices }}.period_type,
        {{ slices }}.period_end,
        part.breakdown,
        part.breakdown_value
    from {{ slices }}
    inner join {{ ref('indicator_part') }} as part
        on {{ slices }}.area_level = part.area_level
    where part.indicator_code = '{{ indicator_code() }}'
{%- endmacro %}
