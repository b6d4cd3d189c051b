-- Gold: what people ask for, and what the model learns from.

CREATE OR REFRESH MATERIALIZED VIEW gold.daily_airport_delays (
  CONSTRAINT has_flights EXPECT (flights > 0) ON VIOLATION FAIL UPDATE,
  CONSTRAINT share_is_a_share EXPECT (delayed_share BETWEEN 0 AND 1) ON VIOLATION FAIL UPDATE
)
COMMENT 'One row an airport and day: flights, those cancelled, and those more than 15 minutes late.'
TBLPROPERTIES ('quality' = 'gold')
AS SELECT
  origin,
  flight_date,
  count(*) AS flights,
  count_if(cancelled) AS cancelled,
  count_if(arr_delay > 15) AS delayed,
  count_if(arr_delay > 15) / count(*) AS delayed_share,
  avg(arr_delay) AS avg_arr_delay
FROM silver.flights
GROUP BY origin, flight_date;

CREATE OR REFRESH MATERIALIZED VIEW gold.carrier_delays (
  CONSTRAINT has_an_airline EXPECT (airline IS NOT NULL)
)
COMMENT 'One row an airline: how many of its flights were late, and by how much.'
AS SELECT
  carrier,
  airline,
  count(*) AS flights,
  count_if(arr_delay > 15) / count(*) AS delayed_share,
  avg(arr_delay) AS avg_arr_delay
FROM silver.flights
GROUP BY carrier, airline;

CREATE OR REFRESH MATERIALIZED VIEW gold.flight_features (
  CONSTRAINT has_a_label EXPECT (delayed IS NOT NULL) ON VIOLATION DROP ROW,
  CONSTRAINT has_weather EXPECT (temp IS NOT NULL) ON VIOLATION DROP ROW
)
COMMENT 'One row a flight that arrived: what was known when it was scheduled, the weather, whether it was late, and whether the model learns from it.'
AS SELECT
  concat_ws('-', carrier, flight, origin, flight_date) AS flight_id,
  month(flight_date) AS month,
  dayofweek(flight_date) AS weekday,
  hour,
  carrier,
  origin,
  distance,
  temp,
  wind_speed,
  precip,
  visib,
  CASE WHEN arr_delay IS NULL THEN NULL WHEN arr_delay > 15 THEN 1 ELSE 0 END AS delayed,
  -- Every sixth flight of the first eleven months; December is what the model has not seen.
  month(flight_date) < 12 AND flight % 6 = 0 AS for_training
FROM silver.flights;
