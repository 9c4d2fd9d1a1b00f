"""The tables of the SQL store, and the one statement that differs between databases.

    head     one row: which store this is, how far it has come, who leads, whether disarmed
    journal  one row a decision, by revision
    records  one row a record: its latest body
    pins     one row a controller: what it sees now; no part of the history. In a store of version 1
             it is made when first needed

The lease stands in the same row as the revision on purpose. Every commit *updates* the row that
a take-over updates, so that any database lets only one of the two through. A lease in a row of
its own would only be *read* by a commit, and Galera certifies writes, never reads: a commit on
one node and a take-over on another would then both succeed.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Insert,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite

SCHEMA_VERSION = 2
OLDEST_VERSION = SCHEMA_VERSION - 1  # what controllers of this version work on, too
HEAD_ROW = 1
NAME_CHARS_MAX = 255
BODY_BYTES_MAX = 2**24 - 1  # makes MariaDB choose MEDIUMBLOB; plain BLOB ends at 64 KiB

# MariaDB compares text without regard to case unless told otherwise: "Host" would be "host".
NAME = String(NAME_CHARS_MAX).with_variant(
    mysql.VARCHAR(NAME_CHARS_MAX, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb"
)
BODY = LargeBinary(BODY_BYTES_MAX)

metadata = MetaData()

head = Table(
    "head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("schema_version", Integer, nullable=False),
    Column("store_id", String(36), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("holder", NAME, nullable=False),
    Column("term", BigInteger, nullable=False),
    Column("beat", BigInteger, nullable=False),
    Column("disarmed", Text, nullable=True),
)

journal = Table(
    "journal",
    metadata,
    # On SQLite only INTEGER PRIMARY KEY is the row itself; BIGINT would cost a second tree.
    Column(
        "revision",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("term", BigInteger, nullable=False),
    Column("at", Double, nullable=False),
    Column("wall", Double, nullable=False),
    Column("event", BODY, nullable=False),
    Column("notes", BODY, nullable=False),
)

records = Table(
    "records",
    metadata,
    Column("key", NAME, primary_key=True),
    Column("body", BODY, nullable=False),
)


pins = Table(
    "pins",
    MetaData(),
    Column("witness", NAME, primary_key=True),
    Column("beat", BigInteger, nullable=False),
    Column("body", BODY, nullable=False),
)


def upsert_record(dialect: str) -> Insert:
    """Insert a record (parameters `key`, `body`), or replace the body of the one there is."""
    match dialect:
        case "sqlite":
            lite = sqlite.insert(records)
            return lite.on_conflict_do_update(
                index_elements=[records.c.key], set_={"body": lite.excluded.body}
            )
        case "postgresql":
            post = postgresql.insert(records)
            return post.on_conflict_do_update(
                index_elements=[records.c.key], set_={"body": post.excluded.body}
            )
        case "mysql" | "mariadb":
            maria = mysql.insert(records)
            return maria.on_duplicate_key_update(body=maria.inserted.body)
        case _:
            raise AssertionError(f"no upsert is known for {dialect}")
