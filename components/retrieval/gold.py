"""The gold set: questions, and the documents that answer them."""

from dataclasses import dataclass, field
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError


class GoldError(Exception):
    """A gold set that is missing or wrong; the message names file, place and what is valid."""


class _Question(BaseModel):
    model_config = ConfigDict(extra="forbid")

    question: str
    documents: list[str] = []
    passages: list[str] = []
    id: str = ""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    questions: list[_Question]


@dataclass(frozen=True)
class GoldQuestion:
    """A question, and what answers it.

    Args:
        documents: Names of the documents that answer it; none, where nothing in the index does.
        passages: Texts one of which a chunk has to have to answer it; empty where the document is enough.
    """

    id: str
    question: str
    documents: frozenset[str]
    passages: list[str] = field(default_factory=list)


def read_gold(file: Path) -> list[GoldQuestion]:
    """The questions of a gold set.

    Raises:
        GoldError: the file is missing, or not as it should be.
    """
    try:
        parsed = _File.model_validate(yaml.safe_load(file.read_text("utf-8")))
    except FileNotFoundError:
        raise GoldError(f"{file} is missing") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise GoldError(f"{file} is no YAML: {error}") from None
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:5])
        raise GoldError(
            f"{file}: {places}; expected questions: with question and documents, optional passages and id"
        ) from None
    found = [
        GoldQuestion(item.id or str(at), item.question, frozenset(item.documents), item.passages)
        for at, item in enumerate(parsed.questions, 1)
    ]
    ids = [item.id for item in found]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise GoldError(f"{file}: id {', '.join(map(repr, twice))} is there more than once")
    if not any(item.documents for item in found):
        raise GoldError(f"{file}: no question names a document that answers it")
    return found
