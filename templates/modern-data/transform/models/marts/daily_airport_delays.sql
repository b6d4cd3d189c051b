with flights as (

    select
        flight_date,
        origin,
        origin_name,
        count(*) as flights,
        sum(case when is_cancelled then 1 else 0 end) as cancelled,
        sum(case when is_delayed then 1 else 0 end) as delayed,
        sum(case when dep_delay_minutes > 0 then dep_delay_minutes else 0 end) as delay_minutes_total,
        avg(dep_delay_minutes) as avg_dep_delay_minutes
    from {{ ref('fct_flights') }}
    group by 1, 2, 3

),

weather as (

    select
        cast(observed_hour as date) as flight_date,
        origin,
        avg(wind_speed_mph) as avg_wind_speed_mph,
        sum(precipitation_inches) as precipitation_inches
    from {{ ref('stg_weather') }}
    group by 1, 2

)

select
    flights.flight_date,
    flights.origin,
    flights.origin_name,
    cast(flights.flights as bigint) as flights,
    cast(flights.cancelled as bigint) as cancelled,
    cast(flights.delayed as bigint) as delayed,
    cast(flights.delay_minutes_total as bigint) as delay_minutes_total,
    cast(flights.avg_dep_delay_minutes as {{ dbt.type_float() }}) as avg_dep_delay_minutes,
    cast(weather.avg_wind_speed_mph as {{ dbt.type_float() }}) as avg_wind_speed_mph,
    cast(weather.precipitation_inches as {{ dbt.type_float() }}) as precipitation_inches
from flights
left join weather on flights.flight_date = weather.flight_date and flights.origin = weather.origin
