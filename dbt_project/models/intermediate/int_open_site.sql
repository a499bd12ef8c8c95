with

sites as (
    select * from {{ ref('dim_training_site') }}
),

slices as (
    {{ slices_of_readers() }}
),

days as (
    select distinct period_end from slices
),

-- of one that is closed without a day nobody knows until when it was open: it counts on no day
open_sites as (
    select
        days.period_end,
        sites.site_id,
        sites.county_code,
        sites.township_name,
        sites.place_code
    from sites
    inner join days
        on
            sites.opened_on <= days.period_end
            and (sites.closed_on > days.period_end or sites.closed_on is null)
    where
        sites.status = '1'
        or sites.closed_on is not null
)

select * from open_sites
