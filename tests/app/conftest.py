"""A configuration of the demo's site with some of its lines changed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cloud.cloud_client import Cloud

from ninelives.app.config.building import read_configuration
from ninelives.app.config.configuration import Configuration
from ninelives.app.demo_site import written

Configured = Callable[..., Configuration]


@pytest.fixture
def configured(tmp_path: Path, cloud: Cloud) -> Configured:
    def configure(*changes: tuple[str, str]) -> Configuration:
        path = written(tmp_path, "n1", cloud.served)
        text = path.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path.write_text(text)
        return read_configuration(path, "n1")

    return configure
