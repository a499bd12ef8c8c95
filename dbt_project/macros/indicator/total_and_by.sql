{#
    The rows of a CTE once in the total and once more in the breakdown that a column of them names, where it is not null;
    the body of a CTE. The column is called as the breakdown is: `focus_sector` gives breakdown 'focus_sector'.
#}
{% macro total_and_by(rows, column) -%}
    select
        {{ rows }}.*,
        'total' as breakdown,
        'total' as breakdown_value
    from {{ rows }}
    union all
    select
        {{ rows }}.*,
        '{{ column }}' as breakdown,
        {{ rows }}.{{ column }} as breakdown_value
    from {{ rows }}
    where {{ rows }}.{{ column }} is not null
{%- endmacro %}
