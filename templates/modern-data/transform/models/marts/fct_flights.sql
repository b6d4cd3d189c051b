select
    flights.flight_id,
    flights.flight_date,
    cast({{ dbt.date_trunc('month', 'flights.flight_date') }} as date) as month,
    {{ iso_weekday("flights.flight_date") }} as weekday,
    flights.scheduled_hour,
    flights.scheduled_at_hour,
    flights.origin,
    origins.airport_name as origin_name,
    flights.dest,
    coalesce(destinations.airport_name, flights.dest) as dest_name,
    flights.carrier,
    airlines.carrier_name,
    flights.tailnum,
    flights.distance_miles,
    flights.dep_delay_minutes,
    flights.arr_delay_minutes,
    flights.air_time_minutes,
    flights.is_cancelled,
    coalesce(flights.arr_delay_minutes > 15, false) as is_delayed
from {{ ref('stg_flights') }} as flights
left join {{ ref('stg_airlines') }} as airlines on flights.carrier = airlines.carrier
left join {{ ref('stg_airports') }} as origins on flights.origin = origins.airport
left join {{ ref('stg_airports') }} as destinations on flights.dest = destinations.airport
