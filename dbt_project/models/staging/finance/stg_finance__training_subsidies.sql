-- Written by `make docs` from expectations/finance/training_subsidies.odcs.yaml.
select
    payment_id,
    reverses_payment_id,
    enrollment_id,
    county_code,
    provider_uscc,
    payee_kind,
    fund_source,
    amount_cny,
    paid_on,
    accounting_month,
    updated_at,
    _batch_id
from {{ source('raw_finance', 'finance_training_subsidies') }}
where not _withdrawn
