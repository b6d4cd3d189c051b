"""Which warehouse is in force, and where its DuckDB files stand, read from the environment."""

import os
from pathlib import Path
from typing import Literal, cast, get_args

Target = Literal["local", "production"]
EngineName = Literal["duckdb", "postgres", "bigquery", "snowflake", "databricks", "redshift", "motherduck"]
LocalEngineName = Literal["duckdb", "lakehouse"]

TARGET_VARIABLE = "WAREHOUSE_TARGET"
LOCAL_FILE_VARIABLE = "WAREHOUSE_DUCKDB_FILE"
PRODUCTION_FILE_VARIABLE = "WAREHOUSE_PRODUCTION_FILE"
LOCAL_FILE = "data/warehouse.duckdb"


def warehouse_target() -> Target:
    """The target that ``WAREHOUSE_TARGET`` names, ``local`` where it is unset or empty.

    Raises:
        ValueError: the variable holds anything else.
    """
    value = os.environ.get(TARGET_VARIABLE) or "local"
    if value not in get_args(Target):
        raise ValueError(f"{TARGET_VARIABLE}: {value!r} is not valid; expected one of {', '.join(get_args(Target))}")
    return cast(Target, value)


def local_duckdb_file(project_root: Path) -> Path:
    """The absolute path of the local DuckDB file.

    Args:
        project_root: Folder that a relative path starts from, also the default one.
    """
    return (project_root / (os.environ.get(LOCAL_FILE_VARIABLE) or LOCAL_FILE)).absolute()


def subprocess_environment(project_root: Path) -> dict[str, str]:
    """The variables that make a subprocess open the same DuckDB files from any working folder.

    dbt resolves a relative path against the folder it runs in, which is the dbt project and not ``project_root``.
    """
    variables = {LOCAL_FILE_VARIABLE: str(local_duckdb_file(project_root))}
    if production_file := os.environ.get(PRODUCTION_FILE_VARIABLE):
        variables[PRODUCTION_FILE_VARIABLE] = str((project_root / production_file).absolute())
    return variables
