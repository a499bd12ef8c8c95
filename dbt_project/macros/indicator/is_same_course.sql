{#
    Whether records of two systems are of one course: the same person, the same small class of occupations (小类), first days
    at most a week apart. Where one of the two is not coded, person and week decide. A condition.
#}
{% macro is_same_course(one, other) -%}
    {{ one }}.person_id = {{ other }}.person_id
        and {{ one }}.start_date between {{ other }}.start_date - 7 and {{ other }}.start_date + 7
        and coalesce(left({{ one }}.occupation_code, 7) = left({{ other }}.occupation_code, 7), true)
{%- endmacro %}
