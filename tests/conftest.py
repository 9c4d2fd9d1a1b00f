"""Options of the whole test run."""

import signal

import pytest
from hypothesis import settings

pytest_plugins = ["tests.cloud.fixtures"]


def pytest_configure() -> None:
    """Let Ctrl-C reach the programs that tests start, also when a shell has put us behind."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # How long an example takes says how busy the machine is, and nothing of the code.
    settings.register_profile("unhurried", deadline=None)
    settings.load_profile("unhurried")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite",
        action="store_true",
        help="write the timelines that came out into the scenario files; those tests still fail",
    )


@pytest.fixture
def rewrite(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--rewrite"))
