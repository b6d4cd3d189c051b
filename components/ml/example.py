"""The real data that scaffolded examples start from: scikit-learn's wines, which every installation brings along."""

import csv
from importlib.util import find_spec
from pathlib import Path
from typing import Any

FILE = "wine.csv"
TARGET = "cultivar"
FEATURES = ["alcohol", "malic_acid", "magnesium", "flavanoids", "color_intensity", "hue", "proline"]
_COLUMNS = [
    *("alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols", "flavanoids"),
    *("nonflavanoid_phenols", "proanthocyanins", "color_intensity", "hue", "od280_od315", "proline"),
]


def write_wine(folder: Path) -> None:
    """Write wine.csv: 178 wines of three cultivars with 13 measurements each; an edited file stays as it is.

    Raises:
        RuntimeError: scikit-learn is not installed.
    """
    if (folder / FILE).exists():
        return
    found = find_spec("sklearn")
    if found is None or found.origin is None:
        raise RuntimeError("the example needs scikit-learn; install the ml extra")
    source = Path(found.origin).parent / "datasets" / "data" / "wine_data.csv"
    with source.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.reader(lines))[1:]
    with (folder / FILE).open("w", newline="", encoding="utf-8") as made:
        writer = csv.writer(made)
        writer.writerow(["wine", *_COLUMNS, TARGET])
        for number, row in enumerate(rows, start=1):
            writer.writerow([f"W{number:03}", *row[:-1], f"cultivar_{row[-1]}"])


def training_attributes(key: str) -> dict[str, Any]:
    """Attributes of a training on wine.csv."""
    return {
        "key": key,
        "description": "A model that tells the cultivar of a wine from its measurements.",
        "data": {"path": FILE},
        "features": FEATURES,
        "target": TARGET,
        "algorithm": "random_forest_classifier",
        "parameters": {"n_estimators": 50, "max_depth": 6},
        "split": {"method": "stratified", "test_size": 0.25},
        "group": "ml",
    }
