{#- The last day of a delivery key: 2026-06-03, 2026-06, 2026Q2, a term (2025-2026-1) or 2026. -#}
{% macro delivery_end(key) %}
    case
        when {{ key }} ~ '^\d{4}-\d{2}-\d{2}$' then {{ key }}::date
        when {{ key }} ~ '^\d{4}-\d{2}$'
            then (({{ key }} || '-01')::date + interval '1 month' - interval '1 day')::date
        when {{ key }} ~ '^\d{4}Q[1-4]$'
            then (make_date(left({{ key }}, 4)::integer, right({{ key }}, 1)::integer * 3, 1)
            + interval '1 month' - interval '1 day')::date
        when {{ key }} ~ '^\d{4}-\d{4}-[12]$'
            then make_date(
                substr({{ key }}, 6, 4)::integer, case right({{ key }}, 1) when '1' then 1 else 8 end, 31
            )
        when {{ key }} ~ '^\d{4}$' then make_date({{ key }}::integer, 12, 31)
    end
{% endmacro %}
