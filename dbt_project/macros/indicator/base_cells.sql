{# The last statement of an indicator model: the columns of its CTE `cells` in the order and the types of all slices. #}
{% macro base_cells(code) -%}
select
    '{{ code }}' as indicator_code,
    area_code,
    period_type,
    period_start,
    breakdown,
    breakdown_value,
    numerator::numeric as numerator,
    denominator::numeric as denominator,
    value::numeric as value,
    n_persons::bigint as n_persons,
    n_employers::bigint as n_employers,
    is_supplied
from cells
{%- endmacro %}
