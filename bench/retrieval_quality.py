"""Recall of the AI starter's search beside TF-IDF and BM25: the same passages, the same questions, the same figures.

    uv run python bench/retrieval_quality.py            # the lexical baseline, seconds
    uv run python bench/retrieval_quality.py minilm     # MiniLM too, some minutes of CPU

The documents are the topics of the Python that runs this; figures move a little from version to version.
"""

import logging
import platform
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
GOLD = ROOT / "templates" / "component-package" / "examples" / "retrieval" / "gold.yaml"
EXCLUDED = ["compound", "specialnames", "execmodel", "else"]
K, DEPTH = 5, 20


def figures(search: Callable[[str], Sequence[object]]) -> dict[str, float]:
    """Recall and MRR at five, over the questions that something answers."""
    from components.retrieval.gold import read_gold
    from components.retrieval.metrics import retrieval_figures

    return retrieval_figures([(item, search(item.question)) for item in read_gold(GOLD)], K)


TFIDF = {
    "as it comes": {},
    "stop words": {"stop_words": "english"},
    "sublinear, stop words": {"sublinear_tf": True, "stop_words": "english"},
    "sublinear, stop words, pairs": {"sublinear_tf": True, "stop_words": "english", "ngram_range": (1, 2)},
    "character n-grams": {"analyzer": "char_wb", "ngram_range": (3, 5), "sublinear_tf": True},
}


def tfidf(records: Sequence[object], settings: dict[str, object]) -> Callable[[str], Sequence[object]]:
    """Search by scikit-learn's TfidfVectorizer, fitted on all passages, and by the cosine."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    from components.retrieval.search import Hit

    vectorizer = TfidfVectorizer(**settings)
    matrix = vectorizer.fit_transform(f"{record.title} {record.heading} {record.text}" for record in records)

    def search(question: str) -> Sequence[object]:
        scores = (matrix @ vectorizer.transform([question]).T).toarray().ravel()
        return [Hit(records[at], float(scores[at])) for at in (-scores).argsort(kind="stable")[:DEPTH]]

    return search


def measure(models: Sequence[str]) -> None:
    """Build the starter's index with each model, and print a line for each way to search it."""
    import dagster as dg
    from dagster.components.testing import create_defs_folder_sandbox

    from components.retrieval.index import DocumentIndexComponent
    from components.retrieval.search import open_index

    logging.disable(logging.ERROR)
    print(f"Python {platform.python_version()}")
    for at, model in enumerate(models):
        with create_defs_folder_sandbox() as sandbox:
            (sandbox.project_root / "policy.yaml").write_text("version: 1\n")
            source = {"name": "python", "module": "pydoc_data.topics:topics", "exclude": EXCLUDED}
            attributes = {"key": "search/python", "description": "x", "sources": [source]}
            attributes["embedding"] = {"provider": "local", "name": model}
            sandbox.scaffold_component(
                component_cls=DocumentIndexComponent, defs_yaml_contents={
                    "type": "components.retrieval.index.DocumentIndexComponent", "attributes": attributes,
                },
            )  # fmt: skip
            before = time.process_time()
            with sandbox.build_all_defs() as definitions, dg.DagsterInstance.ephemeral() as instance:
                definitions.resolve_implicit_global_asset_job_def().execute_in_process(instance=instance)
            took = time.process_time() - before
            with open_index(sandbox.project_root, "search/python") as index:
                records = list(index.scan())
                print(f"{len(records)} passages, embedded by {model} in {took:.0f} CPU s")
                ways = {
                    f"{model}, vectors alone": lambda q, i=index: i.search(q, DEPTH, mode="vector"),
                    f"{model} and words, fused": lambda q, i=index: i.search(q, DEPTH),
                }
                if at == 0:
                    ways |= {
                        **{f"TF-IDF, {name}": tfidf(records, how) for name, how in TFIDF.items()},
                        "BM25 (words alone)": lambda q, i=index: i.search(q, DEPTH, mode="words"),
                    }
                for name, search in ways.items():
                    found = figures(search)
                    print(f"  {name:40} recall@5 {found['recall']:.3f}  mrr {found['mrr']:.3f}")


if __name__ == "__main__":
    measure(["lexical", *sys.argv[1:]])
