with

build_day as (
    select max(as_of) as as_of from {{ source('ops', 'build_now') }}
),

used_by as (
    select
        feed,
        string_agg(indicator_code, ',' order by indicator_code asc) as indicator_codes
    from {{ ref('seed_indicator_feed') }}
    group by feed
)

select
    feed.feed,
    feed.name_zh,
    feed.name_en,
    feed.owner_zh,
    feed.platform,
    feed.platform_zh,
    feed.platform_en,
    feed.platform_clause_zh,
    feed.is_platform_assumed,
    feed.statutory_mark,
    feed.arises_from_zh,
    feed.form_number,
    feed.form_agency_zh,
    feed.form_approval_number,
    feed.form_valid_until,
    feed.is_form_example,
    -- a date that is made up says nothing of when a form ends
    coalesce(not feed.is_form_example and feed.form_valid_until < build_day.as_of, false) as is_form_expired,
    used_by.indicator_codes
from {{ ref('seed_feed') }} as feed
cross join build_day
left join used_by
    on feed.feed = used_by.feed
