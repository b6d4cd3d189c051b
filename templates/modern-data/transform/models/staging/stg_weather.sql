with weather as (

    select
        origin,
        time_hour as observed_hour,
        temp as temperature_fahrenheit,
        wind_speed as wind_speed_mph,
        precip as precipitation_inches,
        visib as visibility_miles,
        row_number() over (partition by origin, time_hour order by hour) as observation
    from {{ source('raw', 'weather') }}

)

select
    origin,
    observed_hour,
    temperature_fahrenheit,
    wind_speed_mph,
    precipitation_inches,
    visibility_miles,
    case
        when visibility_miles < 3 then 'Fog or low visibility'
        when precipitation_inches > 0 then 'Rain or snow'
        when wind_speed_mph >= 20 then 'Strong wind'
        else 'Fair'
    end as weather_condition
from weather
where observation = 1
