{{ indicator_config('M21-5') }}

with

published_shares as (
    select * from {{ ref('seed_published_skill_share') }}
),

slices as (
    {{ affected_slices('M21-5') }}
),

latest_of_year as (
    select
        area_code,
        share_of_employed_pct,
        date_trunc('year', as_of::timestamp)::date as period_start,
        row_number() over (
            partition by area_code, date_trunc('year', as_of::timestamp)
            order by as_of desc
        ) as year_rank
    from published_shares
    where
        kind = 'actual'
        and share_of_employed_pct is not null
),

printed as (
    select
        slices.area_code,
        slices.period_type,
        slices.period_start,
        latest_of_year.share_of_employed_pct
    from latest_of_year
    inner join slices
        on
            latest_of_year.area_code = slices.area_code
            and latest_of_year.period_start = slices.period_start
    where latest_of_year.year_rank = 1
),

cells as (
    select
        area_code,
        period_type,
        period_start,
        'total' as breakdown,
        'total' as breakdown_value,
        null as numerator,
        null as denominator,
        share_of_employed_pct as value,
        null as n_persons,
        null as n_employers,
        true as is_supplied
    from printed
)

{{ base_cells('M21-5') }}
