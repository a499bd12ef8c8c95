-- Written by `make docs` from expectations/federations/beautiful_workshops.odcs.yaml.
select
    period_label,
    period_start,
    period_end,
    organised_by,
    trained_women,
    reporting_women,
    monthly_gain_sum_cny,
    _batch_id
from {{ source('raw_federations', 'federations_beautiful_workshops') }}
where not _withdrawn
