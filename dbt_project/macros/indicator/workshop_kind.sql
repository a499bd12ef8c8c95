{# The code of a workshop's kind, of the column `kind` of its list. #}
{% macro workshop_kind() -%}
        case kind
            when '定向招工式' then 'recruiting'
            when '来料加工式' then 'processing'
            when '电子商务式' then 'e_commerce'
            when '农旅融合式' then 'farm_tourism'
            when '品牌带动式' then 'brand'
            when '产业赋能式' then 'industry'
        end
{%- endmacro %}
