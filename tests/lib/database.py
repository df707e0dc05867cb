"""
The database of a stack, for tests that read or change it while imd runs. Env STORE chooses the engine:
sqlite, or postgresql on a server that runs until pytest ends. Statements are written for both: with ? for values, and
with `place >> 32` and `place & 4294967295` for the conversation and the seq of a message.
"""
import atexit
import contextlib
import itertools
import os
import re
import sqlite3
import subprocess
from pathlib import Path

import psycopg2
import psycopg2.errors

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 10

# Which column refers to which. PostgreSQL does not check all of these by constraints.
REFERENCES = [("conversation", "pair_low", "account", "id"), ("conversation", "pair_high", "account", "id"),
              ("membership", "conversation", "conversation", "id"), ("membership", "account", "account", "id"),
              ("read_marker", "conversation", "conversation", "id"), ("read_marker", "account", "account", "id"),
              ("message", "sender", "account", "id"), ("message", "reply_to", "message", "id"),
              ("reaction_set", "place", "message", "place"), ("reaction", "account", "account", "id"),
              ("reaction", "set_id", "reaction_set", "id"), ("creation_key", "conversation", "conversation", "id")]


def on_postgresql():
    return os.environ.get("STORE", "").startswith("postgresql")


def create(state):
    """Returns an empty database for a stack whose files are in this directory."""
    return Postgresql() if on_postgresql() else Sqlite(Path(state) / "imd.db")


class Database:
    """The common part. reading() and writing() yield a function: ask(statement, *values) returns rows as dictionaries."""

    @contextlib.contextmanager
    def reading(self):
        """Reads in one snapshot."""
        with contextlib.closing(self._connect()) as connection:
            yield self._begin(connection, self.READ)

    @contextlib.contextmanager
    def writing(self):
        """Runs one transaction, which holds imd's lock from its beginning."""
        with contextlib.closing(self._connect()) as connection:
            ask = self._begin(connection, self.WRITE)
            yield ask
            ask("COMMIT")

    def rows(self, statement, *values):
        with self.reading() as ask:
            return ask(statement, *values)

    def _begin(self, connection, how):
        def ask(statement, *values):
            with contextlib.closing(connection.cursor()) as cursor:
                self._execute(cursor, statement, values)
                names = [column[0] for column in cursor.description or ()]
                # If several columns have the same name, the last is used.
                return [dict(zip(names, row)) for row in cursor.fetchall()] if names else []

        for statement in how:
            ask(statement)
        return ask

    def assert_whole(self):
        damage = self.damage()
        assert not damage, damage[:3]


class Sqlite(Database):
    store = "sqlite"
    READ, WRITE = ["BEGIN"], ["BEGIN IMMEDIATE"]

    def __init__(self, path):
        self.path = path

    def remove(self):
        """Does nothing: the file is in the directory of the stack, which is removed."""

    def _connect(self, timeout_s=WAIT_S):
        return sqlite3.connect(f"file:{self.path}?mode=rw", uri=True, timeout=timeout_s, isolation_level=None)

    @staticmethod
    def _execute(cursor, statement, values):
        cursor.execute(statement, values)

    def is_unlocked(self):
        """Returns whether imd's lock can be taken within 0.2 s."""
        with contextlib.closing(self._connect(0.2)) as connection:
            try:
                self._begin(connection, self.WRITE)
                return True
            except sqlite3.OperationalError:
                return False

    def tables(self, ask):
        return {row["name"] for row in ask("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def integer_columns(self, ask, table):
        """Returns the names of the stored columns with integers."""
        return [row["name"] for row in ask(f"PRAGMA table_xinfo({table})")
                if row["type"] == "INTEGER" and row["hidden"] == 0]

    def reserve(self, ask, table, count):
        """Returns the first of `count` consecutive ids of the table that are free and that imd will not give out."""
        return ask(f"SELECT ifnull(max(id), 0) + 1 AS first FROM {table}")[0]["first"]

    def damage(self):
        with self.reading() as ask:
            return ask("PRAGMA foreign_key_check") + [
                row for row in ask("PRAGMA integrity_check") if row != {"integrity_check": "ok"}]

    @contextlib.contextmanager
    def commits(self):
        """Yields a function whose value changes with each commit of another connection."""
        with contextlib.closing(self._connect()) as connection:
            yield lambda: connection.execute("PRAGMA data_version").fetchone()[0]


class Postgresql(Database):
    READ = ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"]
    WRITE = [f"BEGIN; SET LOCAL lock_timeout = '{WAIT_S}s'", "SELECT * FROM instance FOR UPDATE"]
    _numbers = itertools.count(1)

    def __init__(self, uri=None):
        self._is_own = uri is None
        self.store = uri or self._create()

    @classmethod
    def _create(cls):
        name = f"imd_{os.getpid()}_{next(cls._numbers)}"
        uri = server()
        _run(uri, f"CREATE DATABASE {name} TEMPLATE template0")
        return uri.replace("/postgres?", f"/{name}?")

    def remove(self):
        if self._is_own:
            name = re.search(r"/(imd_\d+_\d+)\?", self.store)[1]
            _run(server(), f"DROP DATABASE {name} WITH (FORCE)")

    def _connect(self):
        connection = psycopg2.connect(self.store)
        connection.autocommit = True  # transactions are begun and ended by statements
        return connection

    @staticmethod
    def _execute(cursor, statement, values):
        cursor.execute(statement.replace("?", "%s"), values or None)

    def is_unlocked(self):
        with contextlib.closing(self._connect()) as connection:
            try:
                self._begin(connection, ["BEGIN; SET LOCAL lock_timeout = '200ms'", *self.WRITE[1:]])
                return True
            except psycopg2.errors.LockNotAvailable:
                return False

    def tables(self, ask):
        return {row["tablename"] for row in ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}

    def integer_columns(self, ask, table):
        return [row["column_name"] for row in ask(
            "SELECT column_name FROM information_schema.columns WHERE table_name = ? AND data_type = 'bigint'", table)]

    def reserve(self, ask, table, count):
        counter = {"account": "last_account_id", "reaction_set": "last_set_id"}[table]
        return ask(f"UPDATE instance SET {counter} = {counter} + ? RETURNING {counter} - ? AS first",
                   count, count - 1)[0]["first"]

    def damage(self):
        with self.reading() as ask:
            return [row for table, column, other, key in REFERENCES for row in ask(
                f"SELECT * FROM {table} t WHERE {column} IS NOT NULL"
                f" AND NOT EXISTS (SELECT FROM {other} o WHERE o.{key} = t.{column})")]

    @contextlib.contextmanager
    def commits(self):
        with contextlib.closing(self._connect()) as connection:
            ask = self._begin(connection, [])
            yield lambda: ask("SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS now")[0]["now"]


def _run(uri, statement):
    with contextlib.closing(psycopg2.connect(uri)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)


_server = None


def server():
    """Returns the URI of the server for all databases of this process. Starts the server if none runs."""
    global _server
    _server = _server or os.environ.get("IMD_POSTGRESQL") or _start()
    return _server


def _start():
    # The server ends when its standard input is closed, so it also ends if this process is killed.
    command = [str(ROOT / "tests/lib/with_postgresql.sh"), "sh", "-c", "echo $IMD_POSTGRESQL; exec cat"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    uri = process.stdout.readline().strip()
    assert uri, "PostgreSQL does not start"

    def end():
        process.stdin.close()
        process.wait()

    atexit.register(end)
    return uri
