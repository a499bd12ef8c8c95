{#
    The courses of a CTE with the quarter in which they were completed (`completion_quarter_end`) and their rank among the person's in
    it, the last one first (`course_rank`): a person counts once in a quarter, with the last course. The body of a CTE.
#}
{% macro courses_by_quarter(courses, record) -%}
    select
        {{ courses }}.*,
        quarters.period_end as completion_quarter_end,
        row_number() over (
            partition by {{ courses }}.person_id, quarters.period_end
            order by {{ courses }}.completion_date desc, {{ courses }}.{{ record }} collate "C" desc
        ) as course_rank
    from {{ courses }}
    inner join quarters
        on {{ courses }}.completion_date between quarters.period_start and quarters.period_end
{%- endmacro %}
