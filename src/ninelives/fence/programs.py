"""The cluster's own command-line tools, each under a hard deadline."""

import os
import select
import time

TOOL_S = 3.0  # a CIB write takes 0.03 s; one that hangs must leave time for the spool
WORDS_MAX = 1 << 24  # the CIB of a thousand hosts takes some megabytes
TOOLS = "/usr/sbin:/usr/bin:/sbin:/bin"  # also where whoever starts us left them out of its PATH
# Set by the cluster around resource agents; crm_attribute and attrd_updater then take the node
# that it names for the one they are asked about (2.1.5).
MISLEADING = "OCF_RESKEY_CRM_meta_on_node"

NOT_SUCH = (6, 105)  # the tools' own codes for an attribute, and a node, that is not there


class Said:
    """What a tool answered. `code` is None where it did not run to its end."""

    __slots__ = ("code", "words")

    def __init__(self, code: "int | None", words: str) -> None:
        self.code, self.words = code, words

    @property
    def is_done(self) -> bool:
        return self.code == 0


def ask(arguments: "list[str]", limit_s: float = TOOL_S) -> Said:
    """Run one tool; never raises for what the tool does."""
    around = {name: value for name, value in os.environ.items() if name != MISLEADING}
    around["PATH"] = ":".join(filter(None, (around.get("PATH"), TOOLS)))
    around["LC_ALL"] = "C"
    ours, theirs = os.pipe()
    nothing = os.open(os.devnull, os.O_RDONLY)
    wiring = [(os.POSIX_SPAWN_DUP2, each, place) for each, place in ((nothing, 0), (theirs, 1))]
    wiring.append((os.POSIX_SPAWN_DUP2, theirs, 2))
    try:
        child = os.posix_spawn(found(arguments[0], around["PATH"]), arguments, around,
                                file_actions=wiring)  # fmt: skip
    except OSError as error:
        os.close(ours)
        return Said(None, f"{arguments[0]}: {error.strerror}")
    finally:
        os.close(theirs)
        os.close(nothing)
    try:
        return heard(arguments[0], child, ours, limit_s)
    finally:
        os.close(ours)


def found(name: str, path: str) -> str:
    """Find a program ourselves: posix_spawnp looks where our own PATH says, not the child's."""
    for folder in path.split(":"):
        candidate = f"{folder}/{name}"
        if os.access(candidate, os.X_OK):
            return candidate
    return name


def heard(name: str, child: int, pipe: int, limit_s: float) -> Said:
    """Read what it says until it ends; end it at the deadline."""
    deadline, words = time.monotonic() + limit_s, b""
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    while (left_s := deadline - time.monotonic()) > 0 and len(words) < WORDS_MAX:
        if not poll.poll(left_s * 1000.0):
            continue
        some = os.read(pipe, 65_536)
        if not some:
            _, status = os.waitpid(child, 0)
            said = words.decode(errors="replace").strip()
            return Said(os.waitstatus_to_exitcode(status), said)
        words += some
    os.kill(child, 9)  # not waited for: it may hang in the kernel, and we shall end soon
    return Said(None, f"{name}: no answer within {limit_s:g} s")
