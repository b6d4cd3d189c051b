"""What the alerts' YAML may say, and what the scaffolders write."""

import dagster as dg
import pytest
import yaml
from jsonschema import Draft202012Validator

from components.orchestration import AlertRoutesComponent, ScheduledJobComponent, TelemetryComponent
from tests.components.orchestration.shop import Shop


def test_a_default_route_that_the_policy_does_not_have_is_named(shop: Shop):
    shop.write(AlertRoutesComponent, {"default_route": "dta"})

    message = "default_route: 'dta' is not valid; expected one of data, web (alert_routes of policy.yaml)"
    assert message in shop.load_error()


def test_alerts_are_on_by_default_and_may_be_off(shop: Shop):
    for attributes, status in (({}, "RUNNING"), ({"default_status": "stopped"}, "STOPPED")):
        shop.write(AlertRoutesComponent, attributes)
        with shop.definitions() as defs:
            statuses = {sensor.default_status.value for sensor in defs.sensors}
        assert statuses == {status}


@pytest.mark.parametrize("component", [ScheduledJobComponent, AlertRoutesComponent, TelemetryComponent])
def test_what_the_scaffolder_writes_loads(component: type, shop: Shop):
    folder = shop.sandbox.scaffold_component(component_cls=component, defs_path="scaffolded")
    document = yaml.safe_load((folder / "defs.yaml").read_text())

    assert document["type"].endswith(component.__name__)
    validator = Draft202012Validator(component.get_model_cls().model_json_schema())
    assert list(validator.iter_errors(document["attributes"])) == []
    with shop.definitions() as defs:
        dg.Definitions.validate_loadable(defs)
        assert [*defs.schedules, *defs.sensors] != []


def test_the_scaffolder_takes_the_answers_it_asks_for(shop: Shop):
    params = {"job_name": "nightly", "selection": "group:marts", "cron": "0 2 * * *", "timezone": "Europe/Berlin"}

    folder = shop.sandbox.scaffold_component(
        component_cls=ScheduledJobComponent, defs_path="nightly", scaffold_params=params
    )

    attributes = yaml.safe_load((folder / "defs.yaml").read_text())["attributes"]
    assert {name: attributes[name] for name in params} == params
