{#
    Each county of the slices once, with whether a directory of one kind, its own or its city's, was published or revised in the
    twelve months before. The body of a CTE.
#}
{% macro counties_with_directory(directories, kind) -%}
    select
        slices.area_code,
        slices.period_type,
        slices.period_end,
        exists(
            select 1
            from {{ directories }}
            where
                {{ is_county_or_its_city(directories ~ '.issuing_area_code', 'slices.area_code') }}
                and {{ directories }}.period_end = slices.period_end
                and {{ directories }}.directory_kind = '{{ kind }}'
        ) as has_directory
    from slices
    where slices.area_level = 'county'
{%- endmacro %}
