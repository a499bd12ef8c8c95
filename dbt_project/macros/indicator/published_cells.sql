{#
    The published figures of one item, in each slice that ends on the day of which they speak: the end of a year, or of a month.
    None where none was published, or none whose day is printed. The body of the CTE `cells`. *figures* are rows of
    `int_published_figure`; *per* divides them into the indicator's unit, as persons into 万人.
#}
{% macro published_cells(figures, item, per=1) -%}
    select
        slices.area_code,
        slices.period_type,
        slices.period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        {{ figures }}.value{{ ' / ' ~ per if per != 1 }} as value
    from {{ figures }}
    inner join slices
        on
            {{ figures }}.area_code = slices.area_code
            and {{ figures }}.as_of = slices.period_end
    where
        {{ figures }}.item = '{{ item }}'
        and {{ figures }}.is_day_printed
{%- endmacro %}
