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
