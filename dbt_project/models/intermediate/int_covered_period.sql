{{ config(
    materialized='table',
    indexes=[{'columns': ['indicator_code', 'period_type', 'period_end'], 'unique': true}]
) }}

with

indicators as (
    select * from {{ ref('seed_indicator') }}
    where is_built
),

dim_period as (
    select * from {{ ref('dim_period') }}
),

feed_coverage as (
    select * from {{ ref('feed_coverage') }}
),

seed_feed as (
    select * from {{ ref('seed_feed') }}
),

needed_feeds as (
    select
        indicators.indicator_code,
        indicators.time_basis,
        indicators.window_months,
        indicators.matures_after_months,
        indicators.period_types,
        needed.feed,
        -- a list of a year or a term comes whole: nothing is entered later, and the next one is of another year
        coalesce(
            seed_feed.cadence in ('term', 'year') and seed_feed.delivery_kind != 'changes', false
        ) as comes_whole,
        -- of a cohort only those feeds must cover the period itself that say who belongs to it
        indicators.time_basis != 'cohort'
        or needed.feed = any(string_to_array(indicators.cohort_feeds, ',')) as covers_period
    from indicators
    cross join string_to_table(indicators.horizon_feeds, ',') as needed (feed)
    left join seed_feed
        on needed.feed = seed_feed.feed
),

coverage as (
    select
        *,
        row_number() over (partition by feed order by covered_from asc) as range_number
    from feed_coverage
),

-- a flow needs its whole period; a stock its day, and no gap since the opening stock; a published figure its last day
feed_periods as (
    select
        needed_feeds.indicator_code,
        needed_feeds.window_months,
        needed_feeds.matures_after_months,
        needed_feeds.comes_whole,
        dim_period.period_type,
        dim_period.period_start,
        dim_period.period_end,
        max(coverage.covered_to) as covered_to,
        bool_or(coverage.feed is not null or not needed_feeds.covers_period) as is_covered
    from needed_feeds
    inner join dim_period
        on dim_period.period_type = any(string_to_array(needed_feeds.period_types, ','))
    left join coverage
        on
            needed_feeds.feed = coverage.feed
            and dim_period.period_end <= coverage.covered_to
            and case
                when needed_feeds.time_basis = 'stock'
                    then dim_period.period_end >= coverage.covered_from and coverage.range_number = 1
                when needed_feeds.time_basis = 'published' or not needed_feeds.covers_period
                    then dim_period.period_end >= coverage.covered_from
                else dim_period.period_start >= coverage.covered_from
            end
    group by
        needed_feeds.indicator_code,
        needed_feeds.window_months,
        needed_feeds.matures_after_months,
        needed_feeds.comes_whole,
        needed_feeds.feed,
        dim_period.period_type,
        dim_period.period_start,
        dim_period.period_end
),

dated as (
    select
        *,
        -- the end of the month that lies so many months after the period
        (period_end + 1 + make_interval(months => window_months))::date - 1 as window_end,
        (period_end + 1 + make_interval(months => matures_after_months))::date - 1 as settles_on
    from feed_periods
),

covered as (
    select
        indicator_code,
        period_type,
        period_start,
        period_end,
        window_end,
        settles_on,
        -- the feeds reach as far as the one that reaches least; one that has not begun reaches nowhere
        min(coalesce(covered_to, '-infinity'::date)) as covered_to,
        bool_and(coalesce(covered_to >= case when comes_whole then window_end else settles_on end, false)) as is_settled
    from dated
    group by
        indicator_code,
        period_type,
        period_start,
        period_end,
        window_end,
        settles_on
    having bool_and(is_covered)
)

select
    indicator_code,
    period_type,
    period_start,
    period_end,
    window_end,
    settles_on,
    greatest(covered_to, period_end) as covered_to,
    covered_to < window_end as is_window_open,
    is_settled
from covered
