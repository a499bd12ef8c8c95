{# A count of fewer than this is not shown: numerator, denominator and complement alike. On how many persons the figures of a
   method must rest stands in seed_method (`fewest_persons_behind`). #}
{% macro smallest_count_shown() %}10{% endmacro %}

{# Nor a share of fewer: with both sides in tens it would be several points off. #}
{% macro fewest_in_a_share() %}100{% endmacro %}

{# Nor a change between counts in tens of which one is smaller: it would be mostly rounding. #}
{% macro smallest_count_compared() %}100{% endmacro %}

{# Nor a figure on fewer employers than this, #}
{% macro fewest_employers() %}3{% endmacro %}

{# nor one of which a single employer makes up more than this: with the line above the 80/3 rule of the US QCEW. #}
{% macro largest_share_of_an_employer() %}0.8{% endmacro %}

{# Exact totals of the province need so many cities that are shown, so that none of the others follows from the rest. #}
{% macro fewest_cities_shown() %}6{% endmacro %}

{#
    A part of a cell as it is shown, by what seed_method says that it is. Persons are counted in tens, and a shown count is
    the middle of its ten: 15 stands for 10 to 19. Medians of wages are rounded to 10 yuan, rates of growth to a tenth of a
    point. Amounts are not shown: with a known amount a head they would give the count.

    Tens and not the nearest multiple of ten: what is hidden is a ten too (0 to 9), and of the sum of up to seven tens the
    ten of the sum leaves at least three values open for each part, which rounding to the nearest does not.
#}
{% macro shown_part(part, kind) -%}
    case
        when disclosure = 'none' then {{ part }}
        when {{ kind }} = 'median' then round({{ part }}, -1)
        when {{ kind }} = 'rate' then round({{ part }}, 1)
        when {{ kind }} = 'count' and is_exact then {{ part }}
        when {{ kind }} = 'count' then floor({{ part }} / 10) * 10 + 5
    end
{%- endmacro %}

{#
    The value of a cell that does not follow from parts which are shown (seed_method, `shown_from`): to the multiple that its
    unit is shown to.
#}
{% macro shown_value() -%}
    case
        when disclosure = 'none' then value
        when shown_from = 'value' then round(value / shown_to) * shown_to
    end
{%- endmacro %}

{#
    How far a shown value is from the exact one, at most, in the unit: a count in tens is up to five off, and so is a median
    that is rounded to 10 yuan; of a quotient both sides are, at worst in opposite directions.
#}
{% macro rounding_error() -%}
    case
        when is_exact then 0
        when shown_from = 'value' then shown_to / 2
        when value_from = 'numerator' then 5 * unit_scale
        when value_from = 'quotient'
            then ((numerator + 5) / nullif(denominator - 5, 0) - numerator / nullif(denominator, 0)) * unit_scale
        when value_from = 'ratio_of_quotients'
            then
                (
                    (numerator + 5) * (comparison_denominator + 5)
                    / nullif((denominator - 5) * (comparison_numerator - 5), 0)
                    - numerator * comparison_denominator / nullif(denominator * comparison_numerator, 0)
                ) * unit_scale
        -- of two rates that are rounded to a tenth of a point
        else 0.1 * unit_scale
    end
{%- endmacro %}

{#
    Decimals to which the tens of its sides let a quotient be known: those of the leading digit of its error. 72.64 that may be
    24 off is written 70, a share that may be 0.8 points off has one decimal.
#}
{% macro known_decimals() -%}
    case
        when rounding_error > 0 and shown_from = 'parts' and value_from in ('quotient', 'ratio_of_quotients')
            then least(-floor(log(rounding_error)), 4)::integer
    end
{%- endmacro %}

{# An area has a place among others where its figure is exact to within this share of the standard deviation between them. #}
{% macro largest_rounding_in_a_rank() %}0.2{% endmacro %}
