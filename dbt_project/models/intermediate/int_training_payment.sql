{{ config(indexes=[{'columns': ['residence_area_code']}]) }}

with

trainings as (
    select * from {{ ref('int_hrss_subsidised_training') }}
),

payments as (
    select * from {{ ref('fct_subsidy_payment') }}
),

completed as (
    select
        record_id,
        person_id,
        residence_area_code,
        provider_type,
        completion_date,
        (date_trunc('month', completion_date::timestamp) + interval '13 months')::date - 1 as window_end
    from trainings
),

paid as (
    select
        payments.payment_id,
        completed.record_id,
        payments.amount_cny
    from completed
    inner join payments
        on
            completed.record_id = payments.enrollment_id
            and completed.window_end >= payments.paid_on
    where payments.reverses_payment_id is null
),

-- a reversal follows the payment that it takes back, whenever that is and whatever it says itself
reversed as (
    select
        paid.payment_id,
        sum(reversals.amount_cny) as amount_cny
    from paid
    inner join payments as reversals
        on paid.payment_id = reversals.reverses_payment_id
    group by paid.payment_id
),

net as (
    select
        paid.record_id,
        sum(paid.amount_cny + coalesce(reversed.amount_cny, 0)) as net_paid_cny
    from paid
    left join reversed
        on paid.payment_id = reversed.payment_id
    group by paid.record_id
)

-- of a record that was not paid for there is no amount, which is not one of nothing
select
    completed.record_id,
    completed.person_id,
    completed.residence_area_code,
    completed.provider_type,
    completed.completion_date,
    net.net_paid_cny
from completed
left join net
    on completed.record_id = net.record_id
