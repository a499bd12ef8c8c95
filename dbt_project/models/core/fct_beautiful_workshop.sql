select
    period_start,
    period_end,
    organised_by,
    trained_women,
    reporting_women,
    monthly_gain_sum_cny
from {{ ref('stg_federations__beautiful_workshops') }}
