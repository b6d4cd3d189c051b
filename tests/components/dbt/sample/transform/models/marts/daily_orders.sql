{{ config(materialized='incremental', unique_key='ordered_on') }}
select ordered_on, count(*) as orders, '{{ invocation_id }}' as built_by
from {{ ref('stg_orders') }}
{% if var('start_date', none) %}
where ordered_on >= date '{{ var("start_date") }}' and ordered_on < date '{{ var("end_date") }}'
{% elif is_incremental() %}
where ordered_on > (select max(ordered_on) from {{ this }})
{% endif %}
group by 1
