{# Every row has all columns of the key, and no two rows have the same: one query for both. #}
{% test key(model, columns) %}
select
    {{ columns | join(',\n    ') }},
    count(*) as n_rows
from {{ model }}
group by
    {{ columns | join(',\n    ') }}
having
    count(*) > 1
    or num_nulls({{ columns | join(', ') }}) > 0
{% endtest %}
