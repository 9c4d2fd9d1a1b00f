"""What is shipped in deploy/ names only what a controller really shows."""

import json
import re
from pathlib import Path

from ninelives.app.telemetry import Numbers

DEPLOY = Path(__file__).parents[2] / "deploy"
NAME = re.compile(r"ninelives_[a-z_]+")


def shown() -> set[str]:
    names = {sample.name for family in Numbers().registry.collect() for sample in family.samples}
    families = {family.name for family in Numbers().registry.collect()}
    labelled = {f"{name}_total" for name in families} | families
    return names | labelled | {f"{name}_bucket" for name in families}


def test_every_alert_asks_for_a_number_that_is_there() -> None:
    asked = set(NAME.findall((DEPLOY / "ninelives.rules.yml").read_text()))

    assert asked
    assert asked <= shown()


def test_every_panel_asks_for_a_number_that_is_there() -> None:
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in NAME.findall(target["expr"])
    }

    assert len(dashboard["panels"]) >= 6
    assert asked <= shown()
