{#
    The exits of a CTE with `is_employed` in the second or fourth quarter after, broken down: in total, by employment at entry
    and by completion with a wage record as evidence, and by the evidence, of which the wider contains the narrower. The body of
    a CTE.
#}
{% macro employment_after_exit(rows, quarter) -%}
    {%- set paid = rows ~ '.has_wage_record_in_quarter_' ~ quarter -%}
    select
        {{ rows }}.area_code,
        {{ rows }}.period_type,
        {{ rows }}.period_end,
        part.breakdown,
        part.breakdown_value,
        part.is_employed
    from {{ rows }}
    cross join lateral (
        values
        ('total', 'total', {{ paid }}),
        ('at_entry', {{ rows }}.at_entry, {{ paid }}),
        ('completion', {{ rows }}.completion, {{ paid }}),
        ('evidence', 'wage_record', {{ paid }}),
        ('evidence', 'or_registration', {{ paid }} or {{ rows }}.is_registered_in_quarter_{{ quarter }})
    ) as part (breakdown, breakdown_value, is_employed)
{%- endmacro %}
