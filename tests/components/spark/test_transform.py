import dagster as dg
import pytest

from components.spark.publish import place_of
from tests.components.spark.lab import SUMS, checks_of, metadata_of

UNIQUE = {"rule": "unique", "columns": ["x"]}
DAYS = """
SELECT id, CAST('{{ '{{ partition.start }}' }}' AS timestamp) AS at FROM points WHERE id < {limit}
"""


def by_day(lab, limit, **changes):
    sql = DAYS.replace("{limit}", str(limit))
    lab.transform(sql=sql, partition={"by": "daily", "start": "2013-01-01"}, **changes)


def test_sql_becomes_a_folder_of_parquet_with_its_metadata(lab):
    lab.transform(sql=SUMS, expectations=[UNIQUE, {"rule": "not_null", "columns": ["x", "total"]}])
    result = lab.run()
    metadata = metadata_of(result)
    assert lab.read("data/sums")[1] == {"x": 1.0, "total": 286.0, "n": 143}
    assert metadata["dagster/row_count"] == 7
    columns = metadata["dagster/column_schema"].columns
    assert [(column.name, column.type) for column in columns] == [("x", "double"), ("total", "double"), ("n", "bigint")]
    assert [(c.constraints.nullable, c.constraints.unique) for c in columns] == [
        (False, True),
        (False, False),
        (True, False),
    ]
    assert metadata["compute_size"] == "small"
    assert metadata["cost_usd"] == pytest.approx(metadata["run_seconds"] * 0.5 / 3600, rel=0.05)
    assert {name: check.passed for name, check in checks_of(result).items()} == {
        "unique_x": True,
        "not_null_x_total": True,
    }
    assert [path.name for path in (lab.root / "data").iterdir() if path.name.startswith(".")] == []


def test_a_python_function_gets_inputs_and_parameters(lab):
    script = "def transform(context):\n    return context.inputs['points'].where(f\"id < {context.parameters['n']}\")\n"
    lab.transform(script, entry_point="transform.py", parameters={"n": 3})
    assert lab.materialize()["dagster/row_count"] == 3
    assert [row["id"] for row in lab.read("data/sums")] == [0, 1, 2]


@pytest.mark.parametrize("kind", ["parquet", "delta"])
def test_a_result_that_breaks_an_expectation_is_not_published(lab, kind):
    output = {"path": "data/sums", "format": kind}
    lab.transform(sql="SELECT 1 AS x", output=output, expectations=[UNIQUE])
    lab.materialize()
    before = sorted(path.name for path in (lab.root / "data/sums").rglob("*.parquet"))
    limits = {"rule": "range", "columns": ["x"], "maximum": 5}
    lab.transform(sql="SELECT x FROM points", output=output, expectations=[UNIQUE, limits])
    failed = lab.run(raises=False)
    assert not failed.success
    found = {name: check.metadata["failed_rows"].value for name, check in checks_of(failed).items()}
    assert found == {"unique_x": 1000, "range_x": 142}
    assert "unique_x, range_x failed, so the result was not published" in lab.failure().description
    assert sorted(path.name for path in (lab.root / "data/sums").rglob("*.parquet")) == before
    assert [path.name for path in (lab.root / "data").iterdir() if path.name.startswith(".")] == []


def test_a_warning_is_published(lab):
    lab.transform(sql="SELECT x FROM points", expectations=[{**UNIQUE, "severity": "warn"}])
    result = lab.run()
    [check] = checks_of(result).values()
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert metadata_of(result)["dagster/row_count"] == 1000


@pytest.mark.parametrize("kind", ["parquet", "delta"])
def test_a_partition_run_twice_replaces_itself_and_nothing_else(lab, kind):
    for limit, day in ((5, "2013-01-01"), (7, "2013-01-02"), (3, "2013-01-01")):
        by_day(lab, limit, output={"path": "data/days", "format": kind})
        assert lab.materialize(day)["partition_row_count"] == limit
    lab.transform(
        folder="count",
        key="data/counted",
        inputs={"days": {"source": "data/days"}},
        sql="SELECT CAST(partition_key AS string) AS day, count(*) AS n, min(at) AS at FROM days GROUP BY 1",
        output={"path": "data/counted"},
    )
    with lab.definitions() as definitions:
        definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            asset_selection=[dg.AssetKey(["data", "counted"])]
        )
    counted = lab.read("data/counted")
    assert [(row["day"], row["n"], f"{row['at']:%Y-%m-%d}") for row in counted] == [
        ("2013-01-01", 3, "2013-01-01"),
        ("2013-01-02", 7, "2013-01-02"),
    ]


def test_a_result_without_rows_keeps_its_columns(lab):
    lab.transform(sql="SELECT x FROM points WHERE id < 0", expectations=[UNIQUE])
    assert lab.materialize()["dagster/row_count"] == 0
    assert lab.read("data/sums") == []
    lab.transform(sql="SELECT x FROM points WHERE id < 2")
    assert lab.materialize()["dagster/row_count"] == 2


def test_a_mistake_in_sql_is_told_shortly_and_the_old_result_stays(lab):
    lab.transform(sql=SUMS)
    lab.materialize()
    folder = lab.transform(sql="SELECT nothing FROM points")
    message = lab.failure().description
    assert message.startswith(f"data/sums ({folder / 'defs.yaml'}): AnalysisException: ")
    assert "nothing" in message
    assert len(message) < 800
    assert len(lab.read("data/sums")) == 7


def test_what_a_killed_run_left_between_two_renames_is_put_back(tmp_path):
    target = tmp_path / "sums"
    for text in ("old", "new"):
        place = place_of(target, None)
        place.staged.mkdir()
        (place.staged / text).touch()
        place.publish() if text == "old" else target.rename(place.aside)
    assert not target.exists()
    place_of(target, None).recover()
    assert [path.name for path in target.iterdir()] == ["old"]
    again = place_of(target, None)
    again.staged.mkdir()
    again.publish()
    assert list(target.iterdir()) == []
    assert not again.aside.exists()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"sql": None}, "expected one of sql and sql_file, not neither"),
        ({"entry_point": "transform.py"}, "data/sums: expected one of sql, sql_file and entry_point"),
        ({"output": {"path": "s3://bucket/x"}}, "is an address, where Parquet files cannot change places"),
        ({"expectations": [UNIQUE, UNIQUE]}, "unique_x stands there twice"),
        ({"expectations": [{"rule": "range", "columns": ["x"]}]}, "a range has one column, and minimum, maximum"),
        ({"expectations": [{**UNIQUE, "minimum": 1}]}, "minimum and maximum belong to a range, not to unique"),
        ({"expectations": [{"rule": "uniq", "columns": ["x"]}]}, "not_null"),
        ({"compute_size": "huge"}, "compute_size: 'huge' is not approved"),
        ({"output": {"path": "data/x", "mode": "overwrite"}}, "output.mode"),
    ],
)
def test_a_mistake_in_the_yaml_is_named_when_it_loads(lab, change, expected):
    lab.transform(**{"sql": SUMS, **change})
    assert expected in lab.load_error()


def test_a_column_that_the_result_lacks_is_named(lab):
    lab.transform(sql=SUMS, expectations=[{"rule": "not_null", "columns": ["origin"]}])
    assert "expectations: no column origin in the result; it has: x, total, n" in lab.failure().description


def test_something_else_than_a_frame_is_refused(lab):
    lab.transform("def transform(context):\n    return 5\n", entry_point="transform.py")
    assert "transform(context) returned int; expected a Spark DataFrame" in lab.failure().description
