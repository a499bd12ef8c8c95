{{ indicator_config() }}

with

finance as (
    select * from {{ ref('fct_skill_finance') }}
),

slices as (
    {{ affected_slices() }}
),

loans as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_end,
        finance.institution_code,
        finance.borrower_kind,
        finance.balance_cny / 10000 as balance_10k_cny,
        finance.npl_balance_cny / 10000 as npl_balance_10k_cny,
        finance.borrowers
    from finance
    inner join slices
        on
            finance.county_code = slices.area_code
            and finance.month = date_trunc('month', slices.period_end::timestamp)::date
    where finance.product = '01'
),

broken_down as (
    {{ total_and_parts('loans', ['borrower_kind']) }}
),

by_institution as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        institution_code,
        sum(balance_10k_cny) as balance_10k_cny,
        sum(npl_balance_10k_cny) as npl_balance_10k_cny,
        sum(borrowers) as borrowers
    from broken_down
    group by area_code, period_type, period_end, breakdown, breakdown_value, institution_code
),

cells as (
    select
        area_code,
        period_type,
        period_end,
        breakdown,
        breakdown_value,
        sum(npl_balance_10k_cny) as numerator,
        sum(balance_10k_cny) as denominator,
        sum(borrowers) as n_persons,
        count(*) as n_employers,
        greatest(
            max(balance_10k_cny) / nullif(sum(balance_10k_cny), 0),
            max(npl_balance_10k_cny) / nullif(sum(npl_balance_10k_cny), 0)
        ) as largest_employer_share
    from by_institution
    group by area_code, period_type, period_end, breakdown, breakdown_value
)

{{ base_cells(['numerator', 'denominator', 'n_persons', 'n_employers', 'largest_employer_share']) }}
