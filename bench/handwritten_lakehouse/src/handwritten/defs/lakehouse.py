import dagster as dg

OWNERS = ["team:data"]
TAGS = {"domain": "flights"}


def landing(name):
    @dg.asset(key=["landing", name], owners=OWNERS, tags=TAGS, group_name="landing", kinds={"file"}, description=name)
    def files():
        import shutil

        shutil.copy(name, "data")

    return files


TABLES = {
    "bronze/flights": ["landing/flights"],
    "bronze/weather": ["landing/weather"],
    "bronze/airlines": ["landing/airlines"],
    "silver/flights": ["bronze/flights", "bronze/weather", "bronze/airlines"],
    "gold/daily_airport_delays": ["silver/flights"],
    "gold/carrier_delays": ["silver/flights"],
    "gold/flight_features": ["silver/flights"],
}
EXPECTATIONS = {
    "bronze/flights": ["has_a_carrier"],
    "bronze/airlines": ["has_a_name"],
    "silver/flights": ["scheduled_in_2013", "has_a_route", "has_weather", "arrived"],
    "gold/daily_airport_delays": ["has_flights", "share_is_a_share"],
    "gold/carrier_delays": ["has_an_airline"],
    "gold/flight_features": ["has_a_label", "has_weather"],
}


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            dg.AssetKey.from_user_string(key),
            deps=[dg.AssetKey.from_user_string(parent) for parent in parents],
            owners=OWNERS,
            tags=TAGS,
            group_name=key.split("/")[0],
            kinds={"spark", "delta"},
            description=key,
        )
        for key, parents in TABLES.items()
    ],
    check_specs=[
        dg.AssetCheckSpec(name, asset=dg.AssetKey.from_user_string(key))
        for key, names in EXPECTATIONS.items()
        for name in names
    ],
    can_subset=True,
)
def flights(context):
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.getOrCreate()
    for key in context.selected_asset_keys:
        spark.table(".".join(key.path)).count()
        yield dg.MaterializeResult(asset_key=key)


def model(key, *parents):
    @dg.asset(
        key=dg.AssetKey.from_user_string(key),
        deps=[dg.AssetKey.from_user_string(parent) for parent in parents],
        owners=OWNERS,
        tags=TAGS,
        group_name=key.split("/")[0],
        kinds={"mlflow"},
        description=key,
    )
    def step():
        import mlflow

        mlflow.set_experiment(key)

    return step


everything = dg.define_asset_job("morning_refresh", selection="*")


@dg.run_failure_sensor
def alert(context):
    import apprise

    apprise.Apprise().notify(body=context.failure_event.message)


@dg.definitions
def lakehouse():
    return dg.Definitions(
        assets=[
            *(landing(name) for name in ("flights", "weather", "airlines")),
            flights,
            model("gold/carrier_scorecard", "gold/carrier_delays"),
            model("ml/delay_model", "gold/flight_features"),
            model("ml/delay_gate", "ml/delay_model"),
            model("ml/delay_registered", "ml/delay_model", "ml/delay_gate"),
            model("ml/delay_predictions", "gold/flight_features", "ml/delay_registered"),
        ],
        jobs=[everything],
        schedules=[dg.ScheduleDefinition(job=everything, cron_schedule="0 6 * * *")],
        sensors=[alert],
    )
