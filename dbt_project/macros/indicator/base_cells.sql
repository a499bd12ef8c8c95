{#
    The last statement of an indicator model: its CTE `cells` in the columns and the types of all slices.

    `given` names the columns of `cells` beside the key (area_code, period_type, period_end, breakdown, breakdown_value);
    what a model does not give is null, and all that it needs counts as supplied. This is the one list of what a cell has.
#}
{% macro base_cells(given) -%}
    {%- set types = base_cell_types() -%}
    {%- for name in given if name not in types -%}
        {%- do exceptions.raise_compiler_error("a base cell has no column " ~ name) -%}
    {%- endfor -%}
    {#- Whether one employer dominates is asked wherever employers are counted: without its share nothing could be shown. -#}
    {%- if ('n_employers' in given) != ('largest_employer_share' in given) -%}
        {%- do exceptions.raise_compiler_error("n_employers and largest_employer_share are given together, or neither") -%}
    {%- endif -%}
select
    '{{ indicator_code() }}'::text as indicator_code,
    area_code::text as area_code,
    period_type::text as period_type,
    period_end::date as period_end,
    breakdown::text as breakdown,
    breakdown_value::text as breakdown_value
    {%- for name, type in types.items() %},
    {{ name if name in given else ('true' if name == 'is_supplied' else 'null') }}::{{ type }} as {{ name }}
    {%- endfor %}
from cells
{%- endmacro %}

{# The columns of a base cell beside its key, with their types; what each means stands in marts/_indicators.yml. #}
{% macro base_cell_types() -%}
    {%- do return({
        'numerator': 'numeric(38, 12)',
        'denominator': 'numeric(38, 12)',
        'comparison_numerator': 'numeric(38, 12)',
        'comparison_denominator': 'numeric(38, 12)',
        'value': 'numeric(38, 12)',
        'n_persons': 'bigint',
        'n_numerator_persons': 'bigint',
        'n_complement_persons': 'bigint',
        'n_employers': 'bigint',
        'largest_employer_share': 'numeric(7, 6)',
        'source_kind': 'text',
        'is_supplied': 'boolean'
    }) -%}
{%- endmacro %}

{# The columns of a base cell, in order, for what reads several slices: a table that grew has others. #}
{% macro base_columns() -%}
    indicator_code,
    area_code,
    period_type,
    period_end,
    breakdown,
    breakdown_value,
    {{ base_cell_types().keys() | join(',\n    ') }}
{%- endmacro %}
