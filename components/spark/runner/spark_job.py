"""Runs one Spark job from the files beside it: config.json in, result.json out."""

import importlib.util
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Where it runs, neither the script's own folder nor __file__ need be known: the working folder holds everything.
sys.path[:0] = [os.getcwd(), str(Path("code").absolute())]  # noqa: PTH109

from spark_job_contexts import Partition, SparkJobError, TrainingContext, TransformContext  # noqa: E402
from spark_job_data import count_rows, expectation_results, read, schema_of, split, write  # noqa: E402
from spark_job_session import spark_session  # noqa: E402

_MESSAGE_LENGTH = 600


def main() -> int:
    """Run the job; the exit code is 0 where it succeeded."""
    config = json.loads(Path("config.json").read_text(encoding="utf-8"))
    result: dict[str, Any] = {}
    try:
        functions = {name: _function(Path(file), name) for name, file in config["functions"].items()}
        with spark_session(config["engine"], config["size"], config["spark_remote_env"]) as spark:
            result["spark"] = f"{config['engine']} {spark.version}"
            _JOBS[config["job"]](spark, config, functions, result)
    except Exception as error:
        result["error"] = _explained(error)
        print(result["error"], file=sys.stderr, flush=True)
    text = json.dumps(result)
    for secret in sorted(filter(None, map(os.environ.get, config["secrets"])), key=len, reverse=True):
        text = text.replace(json.dumps(secret)[1:-1], "***")
    Path("result.json").write_text(text, encoding="utf-8")
    return 1 if "error" in result else 0


def _train(
    spark: Any, config: dict[str, Any], functions: dict[str, Callable[..., Any]], result: dict[str, Any]
) -> None:
    data = read(spark, config["data"], "data.source")
    if preprocessing := config["preprocessing"]:
        data = _frame(functions[preprocessing](data), f"the preprocessing {preprocessing}")
    training, validation = split(data, config["validation_split"], config["split_by"])
    result["training_rows"], result["validation_rows"] = count_rows(training), count_rows(validation)
    if not result["training_rows"]:
        raise SparkJobError("no rows are left to train on")
    context = TrainingContext(
        spark=spark,
        training=training,
        validation=validation,
        architecture=config["architecture"],
        parameters=config["parameters"],
        checkpoint=config["checkpoint"],
        partition=Partition.of(config["partition"]),
    )
    try:
        functions[config["function"]](context)
    finally:
        context.close()
    result["model_files"] = context.keep_model(config["save_to"])


def _transform(
    spark: Any, config: dict[str, Any], functions: dict[str, Callable[..., Any]], result: dict[str, Any]
) -> None:
    inputs = {name: read(spark, source, f"inputs.{name}") for name, source in config["inputs"].items()}
    partition = Partition.of(config["partition"])
    if config["sql"] is not None:
        for name, frame in inputs.items():
            frame.createOrReplaceTempView(name)
        made = spark.sql(config["sql"])
    else:
        context = TransformContext(spark=spark, inputs=inputs, parameters=config["parameters"], partition=partition)
        made = _frame(functions[config["function"]](context), f"{config['function']}(context)")
    output = config["output"]
    if output["format"] == "delta":  # a commit cannot be taken back, so what it would hold is looked at before
        result["expectations"] = expectation_results(made, config["expectations"])
        if not _refused(result["expectations"]):
            made = write(spark, made, output)
    else:  # written beside what is there; it takes its place only when it has been looked at
        made = write(spark, made, output)
        result["expectations"] = expectation_results(made, config["expectations"])
    result["refused"] = _refused(result["expectations"])
    result["rows"], result["schema"] = count_rows(made), schema_of(made)


_JOBS = {"train": _train, "transform": _transform}


def _refused(results: list[dict[str, Any]]) -> bool:
    return any(result["failed_rows"] and result["severity"] == "error" for result in results)


def _frame(value: Any, who: str) -> Any:
    if not hasattr(value, "createOrReplaceTempView"):
        raise SparkJobError(f"{who} returned {type(value).__name__}; expected a Spark DataFrame")
    return value


def _function(file: Path, name: str) -> Callable[..., Any]:
    """A function of a file; its module travels to Spark's workers by value, as they do not have the file."""
    module_name = file.stem
    if module_name in sys.modules:
        module = sys.modules[module_name]
    else:
        spec = importlib.util.spec_from_file_location(module_name, file)
        assert spec  # noqa: S101 - a Python file has one
        assert spec.loader  # noqa: S101
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        spec.loader.exec_module(module)
        from pyspark import cloudpickle

        cloudpickle.register_pickle_by_value(module)
    found = getattr(module, name, None)
    if not callable(found):
        raise SparkJobError(f"{file.name} has no function {name}")
    return found


def _explained(error: Exception) -> str:
    """What went wrong, with the line of the user's own code where that is known."""
    if isinstance(error, SyntaxError):
        return f"{Path(error.filename or '').name}:{error.lineno}: {error.msg}"
    if isinstance(error, SparkJobError):
        text = str(error)
    else:
        said = " ".join(str(error).split("JVM stacktrace")[0].split())
        text = f"{type(error).__name__}: {said}" if said else type(error).__name__
    text = text if len(text) <= _MESSAGE_LENGTH else f"{text[:_MESSAGE_LENGTH]}…"
    own = [Path(name).absolute() for name in ("code", "preprocessing")]
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if any(Path(frame.filename).absolute().is_relative_to(folder) for folder in own)
    ]
    if not frames:
        return text
    last = frames[-1]
    return f"{Path(last.filename).name}:{last.lineno} (in {last.name}): {text}"


if __name__ == "__main__":
    sys.exit(main())
