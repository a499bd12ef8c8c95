{#
    Who holds which honour of a CTE of honours at the end of each slice, in every area that has the county of work as a member: awarded
    by then, not ended, and of a list that counts then. The body of a CTE.
#}
{% macro honours_held(talents, honours) -%}
    select distinct
        members.area_code,
        members.period_type,
        members.period_end,
        {{ talents }}.person_id,
        {{ honours }}.honour_code as honour
    from {{ talents }}
    inner join {{ honours }}
        on {{ talents }}.honour = {{ honours }}.honour
    inner join members
        on
            {{ talents }}.work_area_code = members.county_code
            and {{ honours }}.counts_from <= members.period_end
            and {{ honours }}.counts_to > members.period_end
            and {{ talents }}.awarded_on <= members.period_end
            and ({{ talents }}.ended_on is null or {{ talents }}.ended_on > members.period_end)
{%- endmacro %}
