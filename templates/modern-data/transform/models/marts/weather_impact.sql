with flights as (

    select
        fct_flights.*,
        coalesce(weather.weather_condition, 'Not recorded') as weather_condition
    from {{ ref('fct_flights') }} as fct_flights
    left join {{ ref('stg_weather') }} as weather
        on fct_flights.origin = weather.origin
        and fct_flights.scheduled_at_hour = weather.observed_hour

)

select
    weather_condition,
    origin,
    {{ delay_figures() }}
from flights
group by 1, 2
