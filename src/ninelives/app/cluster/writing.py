"""Write a cluster as YAML: what is recommended left out, the rest in the file's own order."""

from collections.abc import Iterable

import yaml
from pydantic import TypeAdapter

from ninelives.adapters.pacemaker.cib.pieces import Key

from .model import Cluster
from .yaml_lines import Value

SHAPE = TypeAdapter(Cluster)
WIDTH = 110


def yaml_of(cluster: Cluster, unmanaged: Iterable[Key] = ()) -> str:
    """Return the text of the file. `unmanaged` is told to people, and not read again."""
    said: dict[str, Value] = SHAPE.dump_python(cluster, mode="json", exclude_defaults=True)
    listed = [_short(str(key)) for key in unmanaged]
    said |= {"unmanaged": [*listed]} if listed else {}
    return yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=WIDTH)


def _short(words: str) -> str:
    return words if len(words) <= WIDTH else f"{words[: WIDTH - 1]}…"
