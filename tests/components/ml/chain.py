"""A training, its gate, the registry and the scoring after it, in one project."""

from components.ml import (
    BatchInferenceComponent,
    ModelRegistryComponent,
    ModelTrainingComponent,
    ModelValidationComponent,
)
from components.ml.tracking import tracking

TRAINING = {
    "key": "ml/wine_model",
    "description": "Tells the cultivar of a wine.",
    "data": {"path": "data/wine.csv"},
    "features": ["alcohol", "flavanoids", "proline", "hue"],
    "target": "cultivar",
    "algorithm": "logistic_regression",
    "preprocessing": {"scale": True},
    "split": {"method": "stratified", "test_size": 0.4},
    "slices": ["cultivar"],
}
GATE = {
    "key": "ml/wine_gate",
    "description": "May it be promoted?",
    "training": "ml/wine_model",
    "registered_model": "wine",
    "thresholds": [{"metric": "accuracy", "minimum": 0.9, "max_regression": 0.01}],
}
REGISTRY = {
    "key": "ml/wine_registered",
    "description": "The model in use.",
    "training": "ml/wine_model",
    "validation": "ml/wine_gate",
    "registered_model": "wine",
    "owners": ["team:data"],
    "tags": {"classification": "internal"},
}
SCORING = {
    "key": "ml/wine_predictions",
    "description": "What the champion says.",
    "registered_model": "wine",
    "data": {"path": "data/wine.csv"},
    "id_columns": ["wine"],
    "depends_on": ["ml/wine_registered"],
}


def add_chain(project, training=None, gate=None, registry=None, scoring=None):
    """Write all four, with changes."""
    project.add(ModelTrainingComponent, "model", TRAINING | (training or {}))
    project.add(ModelValidationComponent, "gate", GATE | (gate or {}))
    project.add(ModelRegistryComponent, "registered", REGISTRY | (registry or {}))
    project.add(BatchInferenceComponent, "predictions", SCORING | (scoring or {}))


def run(project, *keys):
    """A run that goes on as far as it can: what was made, the checks, and what failed."""
    import dagster as dg

    with project.definitions() as definitions:
        done = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            raise_on_error=False, asset_selection=[dg.AssetKey.from_user_string(key) for key in keys] or None
        )
    made = {
        event.asset_key.to_user_string(): {
            name: value.value for name, value in event.step_materialization_data.materialization.metadata.items()
        }
        for event in done.get_asset_materialization_events()
    }
    return made, {found.check_name: found for found in done.get_asset_check_evaluations()}


def alias(project, name="champion"):
    """The number of the version that has an alias, or None."""
    found = tracking(project.root)
    models = found.client.search_registered_models()
    number = models[0].aliases.get(name) if models else None
    return None if number is None else str(number)
