{#
    What a roster has recognised by the end of each slice, with whether it was revoked by then: ever recognised is what the plan
    counts. A revocation without a date holds from the recognition on; what was merged keeps its recognition. The body of a CTE.
#}
{% macro ever_recognised(roster, key, area) -%}
    select
        {{ roster }}.{{ key }},
        slices.area_code,
        slices.period_type,
        slices.period_end,
        case
            when
                {{ roster }}.status = '已撤销'
                and coalesce({{ roster }}.revoked_on, {{ roster }}.recognised_on) <= slices.period_end
                then 'revoked'
            else 'in_force'
        end as status
    from {{ roster }}
    inner join slices
        on
            {{ roster }}.{{ area }} = slices.area_code
            and {{ roster }}.recognised_on <= slices.period_end
{%- endmacro %}
