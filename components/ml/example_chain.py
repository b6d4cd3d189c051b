"""First files of the components that need a trained model: with a training before them, so that they run at once."""

from pathlib import Path
from typing import Any

import dagster as dg
import yaml
from pydantic import BaseModel, Field

from .attributes import KEY_PATTERN
from .example import FILE, training_attributes, write_wine

_ORDER = ["ModelTrainingComponent", "ModelValidationComponent", "ModelRegistryComponent", "BatchInferenceComponent"]


class ChainParams(BaseModel):
    """What the scaffolders ask."""

    name: str = Field(
        default="wine", description="What the model is about, as in ml/<name>_model", pattern=r"^[A-Za-z0-9_]+$"
    )
    training: str | None = Field(
        default=None, description="Asset key of a training that is there; an example is written otherwise"
    )


def scaffold_chain(request: dg.ScaffoldRequest[Any], last: str) -> None:
    """Write ``defs.yaml`` with a component and what has to run before it.

    Args:
        request: What the scaffolder was asked.
        last: Class name of the component that is scaffolded.

    Raises:
        ValueError: the training's key is not of two parts.
    """
    name, training = request.params.name, request.params.training
    if training is not None and len(training.split("/")) != 2:
        raise ValueError(f"training: {training!r} is not valid; expected {KEY_PATTERN}, such as ml/wine_model")
    attributes = _attributes(name, training or f"ml/{name}_model")
    wanted = _ORDER[: _ORDER.index(last) + 1]
    written = wanted[-1:] if training else wanted
    if "ModelTrainingComponent" in written or last == "BatchInferenceComponent":
        write_wine(request.target_path)
    dg.scaffold_component(request, attributes[last])
    file = request.target_path / "defs.yaml"
    _put_before(file, [(kind, attributes[kind]) for kind in written[:-1]], last)


def _put_before(file: Path, components: list[tuple[str, dict[str, Any]]], last: str) -> None:
    """Put further components of the same family before the one in a file."""
    own = file.read_text(encoding="utf-8")
    parts = []
    for kind, attributes in components:
        full = next(line for line in own.splitlines() if line.startswith("type:")).replace(last, kind)
        module = "model_validation" if "Validation" in last else "registry" if "Registry" in last else "inference"
        full = full.replace(f".{module}.", f".{_MODULE[kind]}.")  # where the type names the module too
        parts.append(f"{full}\n\n" + yaml.safe_dump({"attributes": attributes}, sort_keys=False, width=110))
    file.write_text("\n---\n\n".join([*parts, own]), encoding="utf-8")


_MODULE = {
    "ModelTrainingComponent": "training",
    "ModelValidationComponent": "model_validation",
    "ModelRegistryComponent": "registry",
    "BatchInferenceComponent": "inference",
}


def _attributes(name: str, training: str) -> dict[str, dict[str, Any]]:
    return {
        "ModelTrainingComponent": training_attributes(training),
        "ModelValidationComponent": {
            "key": f"ml/{name}_gate",
            "description": "Whether the latest model may be promoted.",
            "training": training,
            "registered_model": name,
            "thresholds": [{"metric": "accuracy", "minimum": 0.85, "max_regression": 0.02}],
            "group": "ml",
        },
        "ModelRegistryComponent": {
            "key": f"ml/{name}_registered",
            "description": "The model that is used: alias champion of the registered model.",
            "training": training,
            "validation": f"ml/{name}_gate",
            "registered_model": name,
            "group": "ml",
        },
        "BatchInferenceComponent": {
            "key": f"ml/{name}_predictions",
            "description": "What the champion says about each wine.",
            "registered_model": name,
            "data": {"path": FILE},
            "id_columns": [name] if name == "wine" else ["wine"],
            "output_path": f"data/{name}_predictions.parquet",
            "depends_on": [f"ml/{name}_registered"],
            "group": "ml",
        },
    }
