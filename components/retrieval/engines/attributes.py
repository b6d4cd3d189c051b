"""Where an index's documents are prepared, as its YAML says it."""

from typing import Literal

EngineName = Literal["local", "spark", "ray"]
