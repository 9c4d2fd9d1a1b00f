"""The rows of the table of what Nova does, against a real Nova: the stand-in's very tests."""

import pytest
from tests.contracts.test_nova_evacuation import *  # noqa: F403 - whatever stands there is run here
from tests.contracts.test_nova_refusals import *  # noqa: F403
from tests.contracts.test_nova_return import *  # noqa: F403

pytestmark = pytest.mark.timeout(600)
