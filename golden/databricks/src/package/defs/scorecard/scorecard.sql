SELECT
  carrier,
  airline,
  flights,
  delayed_share,
  rank() OVER (ORDER BY delayed_share) AS late_rank
FROM gold.carrier_delays
