"""A project whose runs have something to measure."""

ASSETS = """\
from pathlib import Path

import dagster as dg

TRIES = Path(__file__).with_name("tries.txt")


@dg.asset(key=["marts", "orders"], owners=["team:data"], group_name="marts", tags={"team": "data"})
def orders(context):
    TRIES.write_text(TRIES.read_text() + "x" if TRIES.exists() else "x")
    if len(TRIES.read_text()) == 1:
        raise dg.RetryRequested(max_retries=2)
    return dg.MaterializeResult(metadata={"dagster/row_count": 42, "cost_usd": 1.25})


@dg.asset_check(asset=orders)
def unique():
    return dg.AssetCheckResult(passed=True)


@dg.asset_check(asset=orders)
def tidy():
    return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN)


@dg.asset(key=["marts", "visits"], owners=["team:web"], group_name="marts")
def visits():
    raise dg.Failure("no tracker at https://me:hunter2@tracker/", metadata={"cost_usd": 0.5}, allow_retries=False)
"""
