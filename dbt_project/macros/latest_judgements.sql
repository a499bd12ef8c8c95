{#-
  The loaded batches that a delivery's counts and rates rest on, each with all of its columns: what was sent again counts
  as it was judged last, and corrections and repairs, which are no rows of a delivery's own, are left out.
  A delivery that came in windows has a batch for each.
-#}
{% macro latest_judgements() %}
    select batch.*
    from {{ source('ops', 'batch') }} as batch
    where
        batch.status = 'loaded'
        and exists (
            select 1
            from {{ source('ops', 'batch_object') }} as judged
            inner join {{ source('ops', 'landed_object') }} as landed
                on judged.landed_object_id = landed.landed_object_id
            where
                judged.batch_id = batch.batch_id
                and not landed.is_correction
                and not exists (
                    select 1
                    from {{ source('ops', 'batch') }} as later
                    inner join {{ source('ops', 'batch_object') }} as judged_later
                        on later.batch_id = judged_later.batch_id
                    inner join {{ source('ops', 'landed_object') }} as landed_later
                        on judged_later.landed_object_id = landed_later.landed_object_id
                    where
                        later.feed = batch.feed
                        and later.delivery = batch.delivery
                        and later.status = 'loaded'
                        and (later.order_number, later.batch_id) > (batch.order_number, batch.batch_id)
                        and (later.is_whole or landed_later.part = landed.part)
                        and not landed_later.is_correction
                )
        )
{% endmacro %}
