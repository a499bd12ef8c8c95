{# Every row has all columns of the key, and no two rows have the same: one query for both. A build
   of parts tests what it made: the rows of the indicators that it affects, and of those linked with them. #}
{% test key(model, columns) %}
select
    {{ columns | join(',\n    ') }},
    count(*) as n_rows
from {{ model }}
{%- if execute and makes_slices_only() and 'indicator_code' in columns %}
where indicator_code = any({{ codes_in_sql(slice_codes('linked')) }})
{%- endif %}
group by
    {{ columns | join(',\n    ') }}
having
    count(*) > 1
    or num_nulls({{ columns | join(', ') }}) > 0
{% endtest %}
