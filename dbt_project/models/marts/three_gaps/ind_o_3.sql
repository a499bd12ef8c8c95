{{ indicator_config('O-3') }}

with

exits as (
    select * from {{ ref('int_exit') }}
),

wages as (
    select * from {{ ref('fct_wage') }}
),

members as (
    {{ slice_members('O-3') }}
),

completers as (
    select *
    from exits
    where exit_kind = 'any'
),

quarter_wages as (
    select
        completers.enrollment_id,
        sum(wages.wage_cny_month) as wage_cny
    from completers
    inner join wages
        on
            completers.person_id = wages.person_id
            and wages.wage_month between completers.quarter_2_start and completers.quarter_2_end
    where
        completers.is_employed_in_quarter_2
        and wages.scheme = '110'
        and wages.payment_type = '01'
    group by completers.enrollment_id
),

cohort as (
    select
        members.area_code,
        members.period_type,
        members.period_start,
        quarter_wages.wage_cny,
        -- until one month of the outcome lies within the horizon there is nothing to say
        members.period_start + interval '6 months' <= members.horizon_date as has_outcome
    from completers
    inner join members
        on
            completers.residence_county_code = members.county_code
            and completers.period_start = members.period_start
    left join quarter_wages
        on completers.enrollment_id = quarter_wages.enrollment_id
),

cells as (
    select
        area_code,
        period_type,
        period_start,
        'total' as breakdown,
        'total' as breakdown_value,
        null::numeric as numerator,
        null::numeric as denominator,
        case
            when has_outcome
                then round((percentile_cont(0.5) within group (order by wage_cny::double precision))::numeric, 4)
        end as value,
        count(*) as n_persons,
        null::bigint as n_employers,
        true as is_supplied
    from cohort
    where
        wage_cny > 0
        or not has_outcome
    group by area_code, period_type, period_start, has_outcome
)

select
    'O-3' as indicator_code,
    area_code,
    period_type,
    period_start,
    breakdown,
    breakdown_value,
    numerator,
    denominator,
    value,
    n_persons,
    n_employers,
    is_supplied
from cells
