{# A figure on fewer persons than this is not shown: numerator, denominator and complement alike. #}
{% macro fewest_persons() %}10{% endmacro %}

{# Nor one on fewer employers than this. #}
{% macro fewest_employers() %}3{% endmacro %}

{# A part of a cell as it is shown: rounded to 10 where it counts persons, or is a median of their wages. #}
{% macro shown_part(part) -%}
    case
        when disclosure = 'persons' and (method = 'ratio_of_medians' or not is_exact) then round({{ part }}, -1)
        else {{ part }}
    end
{%- endmacro %}
