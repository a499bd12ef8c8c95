{#
    The area that a code of a division stands for, never null: a county or an own level (省本级、市本级) of Zhejiang by its
    own code, any other province as 省外 (OUT), and what nobody has said as 不详 (UNK).
#}
{% macro area_code(division) -%}
    case
        when {{ division }} is null then 'UNK'
        when {{ division }} like '33%' then {{ division }}
        else 'OUT'
    end
{%- endmacro %}

{#
    The same for what is said of a county, a city or the province: what holds throughout a city stands in its own level
    (市本级), what holds throughout the province in the province's (省本级).
#}
{% macro own_level_code(division) -%}
    case
        when {{ division }} = '330000' then '339900'
        when {{ division }} like '33__00' then left({{ division }}, 4) || '99'
        else {{ area_code(division) }}
    end
{%- endmacro %}
