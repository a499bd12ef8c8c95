{{ indicator_config() }}

with

returns as (
    select * from {{ ref('fct_state_enterprise_year') }}
),

members as (
    {{ slice_members() }}
),

-- the same enterprises in both years: those lost and those new would make a growth of their own
paired as (
    select
        returns.uscc,
        returns.owner_level,
        returns.registration_area_code,
        returns.year_end as period_end,
        returns.wage_bill_cny,
        returns.average_staff,
        returns.high_skilled_wage_cny,
        returns.high_skilled_staff,
        before.wage_bill_cny as wage_bill_before_cny,
        before.average_staff as average_staff_before,
        before.high_skilled_wage_cny as high_skilled_wage_before_cny,
        before.high_skilled_staff as high_skilled_staff_before
    from returns
    inner join returns as before
        on
            returns.uscc = before.uscc
            and returns.year_start = before.year_end + 1
),

in_period as (
    {{ in_members('paired', county='registration_area_code', match=['period_end']) }}
),

broken_down as (
    {{ total_and_parts('in_period', ['owner_level']) }}
),

summed as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        count(*) as n_employers,
        sum(high_skilled_staff) as high_skilled_staff,
        sum(high_skilled_staff_before) as high_skilled_staff_before,
        sum(high_skilled_wage_cny) / nullif(sum(high_skilled_staff), 0) as high_skilled_mean,
        sum(high_skilled_wage_before_cny) / nullif(sum(high_skilled_staff_before), 0) as high_skilled_mean_before,
        sum(wage_bill_cny) / nullif(sum(average_staff), 0) as mean_of_all,
        sum(wage_bill_before_cny) / nullif(sum(average_staff_before), 0) as mean_of_all_before,
        max(wage_bill_cny) / nullif(sum(wage_bill_cny), 0) as largest_share_of_bill,
        max(high_skilled_wage_cny) / nullif(sum(high_skilled_wage_cny), 0) as largest_share_of_high_skilled
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        100 * (high_skilled_mean / nullif(high_skilled_mean_before, 0) - 1) as numerator,
        100 * (mean_of_all / nullif(mean_of_all_before, 0) - 1) as denominator,
        least(high_skilled_staff, high_skilled_staff_before) as n_persons,
        n_employers,
        greatest(largest_share_of_bill, largest_share_of_high_skilled) as largest_employer_share
    from summed
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'n_employers', 'largest_employer_share']) }}
