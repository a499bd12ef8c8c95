{#
    Whether an area is a county itself or, of a district (市辖区: 01 to 20 at the end of the code, GB/T 2260), the city that
    it is part of: counties and county-level cities issue lists of their own, districts may stand on their city's. A condition.
#}
{% macro is_county_or_its_city(area, county) -%}
    (
        {{ area }} = {{ county }}
        or (
            right({{ county }}, 2) between '01' and '20'
            and {{ area }} = left({{ county }}, 4) || '00'
        )
    )
{%- endmacro %}
