import json

import pytest

from tests.components.notebooks.project import POLICY, code, notebook, text

DECLARES = notebook(text("# Study"), code("rows = 100\nshare = 0.5\nname: str = 'a'\n%matplotlib inline", "parameters"))


def test_a_size_that_is_not_approved_is_refused_with_what_is_and_what_it_costs(project):
    project.add(DECLARES, compute_size="gpu_huge")
    assert (
        "defs/run/defs.yaml: compute_size: 'gpu_huge' is not approved by policy.yaml; expected one of: "
        "small (1 thread, 2 GB, $0.10 an hour); dear (4 threads, 8 GB, $3600.00 an hour)"
    ) in project.load_error()


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"parameters": {"row": 5}}, "parameters.row: study.ipynb declares no such parameter, but name, rows, share"),
        ({"parameters": {"rows": "many"}}, "parameters.rows: 'many' is text, but study.ipynb declares a number"),
        ({"parameters": {"rows": True}}, "parameters.rows: True is true or false, but study.ipynb declares a number"),
        ({"parameters": {"name": "{{ partition.key }}"}}, "parameters.name: uses the partition, but there is no"),
        ({"parameters": {"run_context": {}}}, "parameters.run_context: is given by the component"),
        ({"notebook": "other.ipynb"}, "notebook: 'other.ipynb' does not exist; notebooks in run: study.ipynb"),
        ({"notebook": "study.py"}, "study.py"),
        (
            {"kernel": "julia-1.9"},
            "kernel: 'julia-1.9', which study.ipynb asks for, is not installed; expected one of:",
        ),
        ({"files": ["data/*.csv"]}, "files: 'data/*.csv' matches no file in run"),
        ({"compute_profile": "k8s"}, "defs.yaml: compute_profile: 'k8s' is no compute profile of policy.yaml"),
        ({"secrets": ["my token"]}, "'my token' is not valid; expected the name of a variable, such as CRM_TOKEN"),
        ({"outputs": ["../x.csv"]}, "'../x.csv' is not valid; expected a path below the folder of this file"),
        ({"max_cost_usd": 0}, "max_cost_usd"),
        ({"schedule": {"cron": "99 * * * *"}}, "cron"),
    ],
)
def test_a_mistake_in_the_yaml_is_found_when_definitions_load(project, attributes, message):
    project.add(DECLARES, **attributes)
    assert message in project.load_error()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"cells": [', "is no Jupyter notebook of format 4 (line 1:"),
        ("[]", "is no Jupyter notebook of format 4 (it has no list of cells)"),
        (json.dumps({"cells": [], "metadata": {}, "nbformat": 3}), "has format 3, not 4; open and save it in Jupyter"),
        (
            json.dumps(notebook(text("x"), code("rows = = 1", "parameters"))),
            "parameters cell of study.ipynb (cell 2, line 1)",
        ),
    ],
)
def test_a_broken_notebook_is_named_with_what_is_wrong(project, content, message):
    project.add(content)
    error = project.load_error()
    assert message in error
    assert "study.ipynb" in error


def test_parameters_for_a_notebook_that_declares_none_say_how_it_is_done(project):
    project.add(notebook(code("rows = 1")), parameters={"rows": 5})
    assert (
        "declares no parameters; assign their defaults in one cell and give that cell the tag" in project.load_error()
    )


def test_a_number_may_stand_for_a_decimal_number_and_lists_of_any_kind_for_lists(project):
    project.add(notebook(code("share = 0.5\nnames = ['a']\nother = len('a')", "parameters")), parameters={"share": 1})
    with project.definitions() as definitions:
        assert len(list(definitions.resolve_all_asset_specs())) == 1


def test_a_policy_without_the_size_is_the_platforms_to_change(project):
    project.add(DECLARES)
    project.policy({**POLICY, "compute_sizes": {}})
    assert "policy.yaml has no compute_sizes" in project.load_error()
