{#
    The certificates of a CTE of flows by period: what was issued, in total and by each column of a list, and what was revoked, which
    is not taken off it but stands apart. The body of a CTE.
#}
{% macro issued_and_revoked(rows, columns) -%}
    select
        {{ rows }}.*,
        part.breakdown,
        part.breakdown_value
    from {{ rows }}
    cross join lateral (
        values
        ('issued', 'total', 'total'),
        ('revoked', 'revoked', 'revoked')
        {%- for column in columns %},
        ('issued', '{{ column }}', {{ rows }}.{{ column }})
        {%- endfor %}
    ) as part (flow, breakdown, breakdown_value)
    where
        {{ rows }}.flow = part.flow
        and part.breakdown_value is not null
{%- endmacro %}
