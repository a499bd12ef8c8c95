with

batch as (
    select * from {{ source('ops', 'batch') }}
),

batch_object as (
    select * from {{ source('ops', 'batch_object') }}
),

landed_object as (
    select * from {{ source('ops', 'landed_object') }}
),

feed as (
    select * from {{ source('ops', 'feed') }}
),

feed_coverage as (
    select * from {{ ref('feed_coverage') }}
),

-- what a department sent of a delivery by itself: corrections and repairs are no first submission
originals as (
    select
        batch_object.batch_id,
        batch_object.landed_object_id
    from batch_object
    inner join landed_object
        on batch_object.landed_object_id = landed_object.landed_object_id
    where
        not landed_object.is_correction
        and landed_object.part != 'control'
),

-- as they were judged last: what was judged again, or accepted after a stop, was not sent again
loaded as (
    select
        batch.*,
        batch.accepted as rows_taken
    from batch
    where
        batch.status = 'loaded'
        and batch.is_complete
        and exists (
            select 1
            from originals
            where originals.batch_id = batch.batch_id
        )
),

loaded_originals as (
    select originals.landed_object_id
    from originals
    inner join loaded
        on originals.batch_id = loaded.batch_id
),

-- nothing of it was taken, and the department sent something else instead
stopped as (
    select
        batch.*,
        0 as rows_taken
    from batch
    where
        batch.status = 'stopped'
        and batch.is_whole
        and exists (
            select 1
            from originals
            where
                originals.batch_id = batch.batch_id
                and originals.landed_object_id not in (
                    select loaded_originals.landed_object_id
                    from loaded_originals
                )
        )
),

submitted as (
    select * from loaded
    union all
    select * from stopped
),

-- windows of changes are each asked for once; of a whole delivery the first to arrive counts, once one was taken in
ranked as (
    select
        submitted.feed,
        submitted.delivery,
        submitted.delivery_end,
        submitted.received - submitted.duplicates as rows_received,
        submitted.rows_taken as rows_accepted,
        coalesce(feed.delivery_kind = 'changes', false) as is_of_changes,
        bool_or(submitted.status = 'loaded') over (partition by submitted.feed, submitted.delivery) as is_delivered,
        row_number() over (
            partition by submitted.feed, submitted.delivery
            order by submitted.newest_object_id asc, submitted.order_number asc, submitted.batch_id asc
        ) as place
    from submitted
    left join feed
        on submitted.feed = feed.feed
    where
        submitted.is_whole
        or feed.delivery_kind = 'changes'
),

first_submissions as (
    select
        feed,
        delivery,
        delivery_end,
        sum(rows_received)::bigint as rows_received,
        sum(rows_accepted)::bigint as rows_accepted
    from ranked
    where
        is_delivered
        and (is_of_changes or place = 1)
    group by feed, delivery, delivery_end
)

-- a build counts the deliveries that it claimed, whatever is loaded while it runs
select first_submissions.*
from first_submissions
where
    exists (
        select 1
        from feed_coverage
        where
            feed_coverage.feed = first_submissions.feed
            and first_submissions.delivery_end between feed_coverage.covered_from and feed_coverage.covered_to
    )
