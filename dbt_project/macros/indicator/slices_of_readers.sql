{# The slices of every indicator that reads this model, directly or through other models; the body of a CTE. #}
{% macro slices_of_readers() -%}
    {{ slices_of(codes_of_readers(model.unique_id)) }}
{%- endmacro %}

{# Their codes. What stands behind an indicator reads its cells, not this model. #}
{% macro codes_of_readers(unique_id) -%}
    {%- set codes = [] -%}
    {#- While the project is parsed nobody knows yet who reads what. -#}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if unique_id in node.depends_on.nodes -%}
            {%- set code = (node.config.meta or {}).get('indicator') -%}
            {%- do codes.extend([code] if code else codes_of_readers(node.unique_id)) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do return(codes | unique | sort) -%}
{%- endmacro %}
