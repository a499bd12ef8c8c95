{#
    The actual values of one column of published figures, in each slice that ends on the day of which they speak: the end of a
    year, or a day of its own. None where none was published. The body of the CTE `cells`.
#}
{% macro published_cells(figures, column) -%}
    select
        slices.area_code,
        slices.period_type,
        slices.period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        {{ figures }}.{{ column }} as value
    from {{ figures }}
    inner join slices
        on
            {{ figures }}.area_code = slices.area_code
            and {{ figures }}.as_of = slices.period_end
    where
        {{ figures }}.kind = 'actual'
        and {{ figures }}.{{ column }} is not null
{%- endmacro %}
