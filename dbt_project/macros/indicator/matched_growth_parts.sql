{#
    The rows of a CTE of certified persons and those they are compared with, by county, level gained and months followed
    (`horizon`), once in each part; the body of a CTE. The total and the levels are those two years after, which alone lie wholly
    behind the certificate.
#}
{% macro matched_growth_parts(rows) -%}
    select
        {{ rows }}.*,
        part.breakdown,
        part.breakdown_value
    from {{ rows }}
    cross join lateral (
        values
        ('total', 'total', '24'),
        ('horizon', {{ rows }}.horizon, {{ rows }}.horizon),
        ('skill_level', {{ rows }}.gained_level, '24')
    ) as part (breakdown, breakdown_value, horizon)
    where {{ rows }}.horizon = part.horizon
{%- endmacro %}
