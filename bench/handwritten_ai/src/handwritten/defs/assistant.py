import dagster as dg

OWNERS = ["team:data"]


def step(key, *parents, checks=(), blocking=False, kinds=("search",), module="sqlite3"):
    name = dg.AssetKey.from_user_string(key)

    @dg.asset(
        key=name,
        deps=[dg.AssetKey.from_user_string(parent) for parent in parents],
        owners=OWNERS,
        tags={"domain": "documentation"},
        group_name=key.split("/")[0],
        kinds=set(kinds),
        description=key,
        check_specs=[dg.AssetCheckSpec(check, asset=name, blocking=blocking) for check in checks],
    )
    def made():
        from importlib import import_module

        import_module(module)
        return dg.MaterializeResult(
            check_results=[dg.AssetCheckResult(passed=True, check_name=check) for check in checks]
        )

    return made


everything = dg.define_asset_job("morning_refresh", selection="*")


@dg.run_failure_sensor
def alert(context):
    import apprise

    apprise.Apprise().notify(body=context.failure_event.message)


@dg.definitions
def assistant():
    return dg.Definitions(
        assets=[
            step("search/python", checks=["documents_read", "no_prompt_injection"]),
            step("search/python_quality", "search/python", checks=["recall", "quotes_real"], blocking=True),
            step("quality/python", "search/python_quality", kinds=("table",), module="duckdb"),
            step("search/python_answers", "search/python", "search/python_quality", checks=["quotes_are_real"]),
            step("search/python_page", "search/python", "search/python_quality", kinds=("html",)),
            step("prompts/reviews", kinds=("prompt",)),
            step("enriched/reviews", "prompts/reviews", checks=["rejected_rows"], kinds=("table",), module="duckdb"),
            step("enriched/review_agreement", "enriched/reviews", kinds=("sql",), module="duckdb"),
            step("costs/model_calls", "enriched/reviews", checks=["within_budget"], kinds=("table",), module="duckdb"),
            step("reports/ai", "quality/python", "enriched/review_agreement", "costs/model_calls", kinds=("html",)),
        ],
        jobs=[everything],
        schedules=[dg.ScheduleDefinition(job=everything, cron_schedule="0 6 * * *")],
        sensors=[alert],
    )
