{#
    The rows of a CTE once in the total, and once more for each column of a list, under the column's name, where it is not
    null; the body of a CTE. A column is called as its breakdown is: `focus_sector` gives breakdown 'focus_sector'.
#}
{% macro total_and_parts(rows, columns) -%}
    select
        {{ rows }}.*,
        part.breakdown,
        part.breakdown_value
    from {{ rows }}
    cross join lateral (
        values
        ('total', 'total')
        {%- for column in columns %},
        ('{{ column }}', {{ rows }}.{{ column }})
        {%- endfor %}
    ) as part (breakdown, breakdown_value)
    where part.breakdown_value is not null
{%- endmacro %}

{#
    The rows of a CTE once for each code of a column that lists several, separated by commas: the parts overlap, and a person of
    two groups counts in each. The body of a CTE.
#}
{% macro overlapping_parts(rows, codes, breakdown) -%}
    select
        {{ rows }}.*,
        '{{ breakdown }}' as breakdown,
        part.code as breakdown_value
    from {{ rows }}
    cross join string_to_table({{ codes }}, ',') as part (code)
{%- endmacro %}
