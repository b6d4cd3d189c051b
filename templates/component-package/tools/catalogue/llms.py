"""llms.txt and llms-full.txt: the catalogue for language models, as the convention of llmstxt.org has it."""

from .pages import Catalogue, family_title


def index_text(catalogue: Catalogue, guides: list[str]) -> str:
    """llms.txt: what there is, with a link to the Markdown of each page.

    Args:
        catalogue: What there is.
        guides: Names of the hand-written pages.
    """
    library = catalogue.library
    parts = [
        f"# {catalogue.project.name}\n",
        "> Governed Dagster components, used from YAML: `dg scaffold defs TYPE NAME` writes a defs.yaml, "
        "`dg check yaml` checks it, `dg launch` runs it.\n",
        "Every component's attributes are strict: an unknown key or a value of another type is an error. "
        "A `{{ template }}` may stand for any value. schemas/defs.schema.json is the JSON schema of a defs.yaml.\n",
    ]
    for family in library.families:
        parts.append(f"## {family_title(family)}\n")
        parts += [
            f"- [{entry.name}](components/{entry.name}.md): {entry.doc.summary}"
            for entry in library.entries
            if entry.family == family
        ]
        parts.append("")
    about = [("policy.md", "what every asset must have")] if catalogue.policy else []
    about += [("changes.md", "what each release changed"), *((guide, "guide") for guide in guides)]
    parts += ["## About the package\n", *(f"- [{name.removesuffix('.md')}]({name}): {text}" for name, text in about)]
    return "\n".join(parts) + "\n"


def full_text(index: str, pages: dict[str, str]) -> str:
    """llms-full.txt: the index and every page in one file.

    Args:
        index: llms.txt.
        pages: Markdown by path.
    """
    return "\n".join([index, *(f"\n---\n\nSource: {path}\n\n{text.strip()}\n" for path, text in pages.items())])
