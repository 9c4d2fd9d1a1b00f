"""The options of `fence_ninelives`: one table for stdin, for the command line and for the metadata.

Every option of fence_compute is there under all its names, so that a CIB keeps its attributes when
the agent's name is changed in it.
"""

RECORD, COMPUTE, BRAKE = "record", "fence_compute", "brake"
MODES = (RECORD, COMPUTE, BRAKE)


class Option:
    """One option. `value` names what follows it; "" for a flag."""

    __slots__ = (
        "choices",
        "default",
        "is_used",
        "kind",
        "name",
        "older",
        "short",
        "value",
        "words",
    )

    def __init__(
        self,
        name: str,
        words: str,
        short: str = "",
        value: str = "value",
        kind: str = "string",  # "string", "boolean", "integer", "second", "select"
        default: "str | None" = None,
        choices: "tuple[str, ...]" = (),
        older: str = "",  # what fence agents called it before
        is_used: bool = True,  # the rest is taken, and changes nothing here
    ) -> None:
        self.name, self.words, self.short, self.value = name, words, short, value
        self.kind, self.default, self.choices = kind, default, choices
        self.older, self.is_used = older, is_used

    @property
    def long(self) -> str:
        return self.name.replace("_", "-")


def _credential(name: str, words: str, short: str = "", older: str = "", value: str = "") -> Option:
    """Describe an option by which fence_compute logs in; this agent asks no cloud for anything."""
    return Option(name, words, short, value or "name", older=older, is_used=False)


def _ignored(name: str, words: str, kind: str, default: str) -> Option:
    return Option(name, words, value="seconds", kind=kind, default=default, is_used=False)


OPTIONS = (
    Option("action", "What to do", "o", "action", default="off", older="option"),
    Option("plug", "The host; Pacemaker supplies it", "n", "host", older="port"),
    Option(
        "mode",
        "record: behind the power device of a level. fence_compute: the same, and set the private "
        "attribute evacuate. brake: before it, fail while the storm brake holds",
        kind="select",
        default=RECORD,
        choices=MODES,
    ),
    Option("domain", "DNS domain that Nova's host names end in", "d", "domain"),
    Option("compute_domain", "Replaced by domain", value="domain", older="compute-domain"),
    Option(
        "record_only",
        "2 or Disabled: do not set evacuate; the call is recorded all the same",
        "r",
        default="False",
    ),
    Option("attribute", "Permanent node attribute", default="ninelives-gate"),
    Option("spool", "Where a call waits that the CIB did not take", value="folder",
           default="/var/lib/ninelives/fence"),
    Option("hint_socket", "Where the controller of this machine listens for calls", value="path",
           default="/run/ninelives/api.fence"),
    Option("socket", "Where the controller of this machine answers", value="path",
           default="/run/ninelives/api.sock"),
    Option("separator", "Between the columns of a list", "C", "char", default=","),
    Option("quiet", "Nothing on stderr", "q", "", kind="boolean"),
    Option("verbose", "More on stderr", "v", "", kind="boolean"),
    Option("debug_file", "Append each call to a file, without secrets", "D", "file", older="debug"),
    Option("version", "Show the version", "V", "", kind="boolean"),
    Option("help", "Show the options", "h", "", kind="boolean"),
    _credential("auth_url", "Keystone's URL", "k", value="url"),
    _credential("endpoint_type", "Nova's endpoint", "e"),
    _credential("region_name", "Region"),
    _credential("tenant_name", "Project", "t"),
    _credential("project_domain", "Domain of the project", "P", "project-domain"),
    _credential("user_domain", "Domain of the user", "u", "user-domain"),
    _credential("username", "User", "l", "login"),
    _credential("password", "Password", "p", "passwd", "password"),
    _credential("password_script", "Program that prints it", "S", "passwd_script", "script"),
    Option("insecure", "TLS without verification", value="", kind="boolean", is_used=False),
    Option("instance_filtering", "Only tagged instances", value="", kind="boolean",
           default="True", is_used=False),
    Option("no_shared_storage", "Rebuild from images", value="", kind="boolean",
           default="False", is_used=False),
    Option("plug_separator", "Between hosts", value="char", default=",", is_used=False),
    Option("verbose_level", "How much more", value="level", kind="integer", is_used=False),
    Option("disable_timeout", "No limit", value="true/false", is_used=False),
    _ignored("delay", "Wait before", "second", "0"),
    _ignored("login_timeout", "Wait for a login", "second", "5"),
    _ignored("power_timeout", "Wait for a change", "second", "20"),
    _ignored("power_wait", "Wait after", "second", "0"),
    _ignored("shell_timeout", "Wait for an answer", "second", "180"),
    _ignored("stonith_status_sleep", "Wait between two looks", "second", "1"),
    Option("retry_on", "Times to try on", value="attempts", kind="integer", default="1",
           is_used=False),
)  # fmt: skip
