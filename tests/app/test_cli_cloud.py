"""`ninelives sim cloud` as somebody starts it: what it prints is enough, and Ctrl-C ends it."""

import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

from ninelives.app.exits import Exit

STARTED_S = 30
NINELIVES = Path(sys.executable).with_name("ninelives")


def test_it_prints_where_everything_is_and_ends_with_ctrl_c() -> None:
    command = [str(NINELIVES), "sim", "cloud", "--hosts", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        said = ""
        while "BMC of c2" not in said:
            said += running.stdout.readline()
        [url] = re.findall(r"auth_url: (\S+)", said)
        with urlopen(url, timeout=STARTED_S) as answer:
            assert answer.status == 200
        running.send_signal(signal.SIGINT)

        assert running.wait(STARTED_S) in {Exit.DONE, Exit.INTERRUPTED}
