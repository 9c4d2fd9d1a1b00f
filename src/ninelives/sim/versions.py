"""What a controller of another version makes of the store that all of them share (ADR 43)."""

from ninelives.engine import codec
from ninelives.engine.codec import Schema
from ninelives.engine.errors import CodecError
from ninelives.engine.journal import Records

THIS: int = codec.VERSION
PREVIOUS: int = THIS - 1


def reads(records: Records, version: int) -> bool:
    """Say whether a program of `version` can begin a term with what this version has written."""
    schema = Schema(version)
    try:
        codec.decode(codec.CONTROL, codec.encode(codec.CONTROL, records.control), schema)
        for host in records.hosts:
            codec.decode(codec.HOST, codec.encode(codec.HOST, host), schema)
        for move in records.moves:
            codec.decode(codec.MOVE, codec.encode(codec.MOVE, move), schema)
        for entry in records.outbox:
            codec.decode(codec.OUTBOX, codec.encode(codec.OUTBOX, entry), schema)
    except CodecError:
        return False
    return True
