{# A normal contribution to the pension of employees (scheme 110, type 01): what is called a wage here. #}
{% macro is_contribution_wage(rows) -%}
    {{ rows }}.scheme = '110'
        and {{ rows }}.payment_type = '01'
{%- endmacro %}
