with

paid_trainings as (
    select *
    from {{ ref('int_training_payment') }}
    where net_paid_cny is not null
),

trainings as (
    select * from {{ ref('fct_training') }}
),

dual_certificates as (
    select * from {{ ref('fct_dual_certificate') }}
),

agreements as (
    select * from {{ ref('fct_collective_agreement') }}
),

dim_period as (
    select * from {{ ref('dim_period') }}
),

quarters as (
    select
        period_start,
        period_end
    from dim_period
    where period_type = 'quarter'
),

-- an amount that was not stated cannot be exceeded
paid_above_approved as (
    select
        'paid-within-approved' as identity_code,
        quarters.period_end,
        count(*) filter (where paid_trainings.net_paid_cny > trainings.subsidy_cny) as said,
        0 as wanted
    from paid_trainings
    inner join trainings
        on paid_trainings.record_id = trainings.enrollment_id
    inner join quarters
        on paid_trainings.completion_date between quarters.period_start and quarters.period_end
    group by quarters.period_end
),

-- one in twenty numbers may be mistyped before somebody has to look; of a few one is too many at once
unknown_numbers as (
    select
        'dual-numbers-exist' as identity_code,
        quarters.period_end,
        count(*) filter (where not dual_certificates.is_known_certificate) as said,
        0.05 * count(*) as wanted
    from dual_certificates
    inner join quarters
        on dual_certificates.issued_on between quarters.period_start and quarters.period_end
    group by quarters.period_end
    having count(*) >= 100
),

-- the printed number is the whole agreement's and stands in each of its rows
printed as (
    select
        agreement_id,
        min(valid_from) as valid_from,
        max(valid_until) as valid_until,
        -- 64余 is up to nine more
        max(covered_employees + case covered_employees_bound when 'above' then 9 else 0 end) as covered_employees
    from agreements
    where is_skill_grade
    group by agreement_id
),

printed_in_agreements as (
    select
        'covered-within-printed' as identity_code,
        quarters.period_end,
        null::bigint as said,
        sum(printed.covered_employees) as wanted
    from printed
    inner join quarters
        on quarters.period_end between printed.valid_from and printed.valid_until
    group by quarters.period_end
    -- one that prints none leaves the sum open
    having bool_and(printed.covered_employees is not null)
)

select * from paid_above_approved
union all
select * from unknown_numbers
union all
select * from printed_in_agreements
