{{ indicator_config() }}

with

exits as (
    select * from {{ ref('int_exit') }}
),

wages as (
    select * from {{ ref('fct_wage') }}
),

members as (
    {{ slice_members() }}
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

placed as (
    {{ in_members('completers', county='residence_area_code', match=['period_type', 'period_end']) }}
),

cohort as (
    select
        placed.area_code,
        placed.period_type,
        placed.period_end,
        quarter_wages.wage_cny
    from placed
    inner join quarter_wages
        on placed.enrollment_id = quarter_wages.enrollment_id
    where quarter_wages.wage_cny > 0
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        'total' as breakdown,
        'total' as breakdown_value,
        round((percentile_cont(0.5) within group (order by wage_cny::double precision))::numeric, 4) as value,
        count(*) as n_persons
    from cohort
    group by area_code, period_type, period_end
)

{{ base_cells(['value', 'n_persons']) }}
