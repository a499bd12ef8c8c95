{#
    The projects of schools of one kind that were named by the end of each slice: in total those that were accepted by then, and
    beside them, by state, those under construction too. Of one that was ended nobody notes the day: it counts on none. The body
    of a CTE.
#}
{% macro project_states(projects, kind) -%}
    select
        slices.area_code,
        slices.period_type,
        slices.period_end,
        part.breakdown,
        part.breakdown_value
    from {{ projects }}
    inner join slices
        on
            {{ projects }}.school_area_code = slices.area_code
            and {{ projects }}.named_on <= slices.period_end
    cross join lateral (
        select coalesce({{ projects }}.accepted_on <= slices.period_end, false) as is_accepted
    ) as state
    cross join lateral (
        values
        ('total', 'total', state.is_accepted),
        ('project_state', 'accepted', state.is_accepted),
        ('project_state', 'building', not state.is_accepted)
    ) as part (breakdown, breakdown_value, is_in_it)
    where
        {{ projects }}.project_kind = '{{ kind }}'
        and {{ projects }}.status in ('01', '02')
        and part.is_in_it
{%- endmacro %}
