"""Options of the whole test run."""

import pytest

pytest_plugins = ["tests.cloud.fixtures"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite",
        action="store_true",
        help="write the timelines that came out into the scenario files; those tests still fail",
    )


@pytest.fixture
def rewrite(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--rewrite"))
