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

{# The quarters of the periods of a CTE of slices, for tables by person and quarter: a year is made of its quarters. #}
{% macro quarters_in(slices) -%}
    select distinct
        quarter.period_start,
        quarter.period_end
    from {{ ref('dim_period') }} as quarter
    inner join (select distinct period_start, period_end from {{ slices }}) as period
        on
            quarter.period_start >= period.period_start
            and quarter.period_end <= period.period_end
    where quarter.period_type = 'quarter'
{%- endmacro %}
