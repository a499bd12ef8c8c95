{#-
    The value of a cell from its parts, by the method of its indicator; one rule for what is exact and for what is shown.

    A ratio of two shares is one division: a ratio of rounded shares would miss ties.
-#}
{% macro cell_value() %}
    round(
        case
            when method = 'ratio_of_shares'
                then numerator * comparison_denominator / nullif(denominator * comparison_numerator, 0)
            when value is not null then value
            when method in ('count', 'sum') or (method = 'distinct' and denominator is null) then numerator * unit_scale
            else numerator / nullif(denominator, 0) * unit_scale
        end,
        4
    )
{% endmacro %}
