{# The code of the model's indicator, from the meta of its YAML; while the project is parsed it is not known yet. #}
{% macro indicator_code() -%}
    {%- set code = ((model.config or {}).meta or {}).get('indicator') if execute else '' -%}
    {%- if code is none -%}
        {%- do exceptions.raise_compiler_error(model.name ~ " says no meta.indicator in its YAML") -%}
    {%- endif -%}
    {%- do return(code) -%}
{%- endmacro %}
