{#
    The slices whose window has not ended: what became of their persons cannot be known yet. The body of a CTE; the model has
    `slices` and `covered_periods` (int_covered_period).
#}
{% macro open_slices() -%}
    select slices.*
    from slices
    inner join covered_periods
        on
            slices.indicator_code = covered_periods.indicator_code
            and slices.period_type = covered_periods.period_type
            and slices.period_end = covered_periods.period_end
    where covered_periods.is_window_open
{%- endmacro %}
