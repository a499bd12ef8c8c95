{#-
    The value of a cell from its parts, by the rule of its method (seed_method, `value_from`); one rule for what is exact and
    for what is shown. What the model gives itself stands: of it the parts, where there are any, are only what it was made of.

    numerator: the numerator in the unit. quotient: the one through the other, where that is positive: of increments that
    add up to less than nothing none is a share. ratio_of_quotients: one quotient through another in one division, since a
    ratio of rounded shares would miss ties. difference: the one less the other. model: the model gives the value. The seed's
    test allows no other rule.
-#}
{% macro cell_value() %}
    round(
        coalesce(
            value,
            case value_from
                when 'numerator' then numerator
                when 'quotient' then numerator / nullif(greatest(denominator, 0), 0)
                when 'ratio_of_quotients'
                    then numerator * comparison_denominator / nullif(denominator * comparison_numerator, 0)
                when 'difference' then numerator - denominator
            end * unit_scale
        ),
        4
    )
{% endmacro %}
