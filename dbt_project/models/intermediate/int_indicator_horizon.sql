with

seed_indicator as (
    select * from {{ ref('seed_indicator') }}
),

data_horizon as (
    select * from {{ ref('data_horizon') }}
),

needed_feeds as (
    select
        seed_indicator.indicator_code,
        needed.feed
    from seed_indicator
    cross join string_to_table(seed_indicator.horizon_feeds, ',') as needed (feed)
    where seed_indicator.is_built
),

-- an indicator reaches as far as the least complete of its feeds, and nowhere while one of them has nothing
horizons as (
    select
        needed_feeds.indicator_code,
        case
            when bool_and(data_horizon.horizon_date is not null) then min(data_horizon.horizon_date)
        end as horizon_date
    from needed_feeds
    left join data_horizon
        on needed_feeds.feed = data_horizon.feed
    group by needed_feeds.indicator_code
)

select * from horizons
