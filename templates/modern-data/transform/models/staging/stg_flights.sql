with flights as (

    select
        *,
        {{ date_of("year", "month", "day") }} as flight_date
    from {{ source('raw', 'flights') }}

)

select
    {{ row_key(["flight_date", "carrier", "flight", "origin", "sched_dep_time"]) }} as flight_id,
    flight_date,
    cast(hour as integer) as scheduled_hour,
    time_hour as scheduled_at_hour,
    origin,
    dest,
    carrier,
    cast(flight as integer) as flight_number,
    tailnum,
    cast(distance as integer) as distance_miles,
    cast(dep_delay as integer) as dep_delay_minutes,
    cast(arr_delay as integer) as arr_delay_minutes,
    cast(air_time as integer) as air_time_minutes,
    dep_time is null as is_cancelled
from flights
