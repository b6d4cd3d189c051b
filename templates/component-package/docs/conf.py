"""Sphinx's settings for the catalogue, which ``tools/catalogue`` puts together in ``_generated``."""

import tomllib
from pathlib import Path

_settings = tomllib.loads((Path(__file__).resolve().parents[1] / "pyproject.toml").read_text(encoding="utf-8"))

project = _settings["project"]["name"]
html_title = project
extensions = ["myst_parser"]
# "Example" stands on every page: labels carry the page's name.
myst_heading_anchors = 3
# Markdown and schemas are beside the HTML; Sphinx need not keep sources as well.
html_copy_source = False
html_show_sphinx = False
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["catalogue.css"]
html_theme_options = {"navigation_with_keys": True}
# A page may refer to what this package has not, as a policy; a changelog may start at any level.
suppress_warnings = ["myst.xref_missing", "myst.header"]
