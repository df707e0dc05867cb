#!/usr/bin/python3
"""
Checks the table of rooms: which room includes which, which room uses which library, where SQL is written.

Prints each breach as FILE:LINE and exits 1 if there is one.
"""
import pathlib
import re
import sys

HOUSE = pathlib.Path(__file__).resolve().parents[2] / "fcgi_app"

MAY_INCLUDE = {
    "base": {"base"},
    "run": {"base", "run"},
    "model": {"base", "model"},
    "store": {"base", "run", "model", "store"},
    "wire": {"base", "model", "wire"},
    "auth": {"base", "run", "model", "wire", "auth"},
    "http": {"base", "run", "http"},
    "push": {"base", "run", "model", "push"},
    "domain": {"base", "run", "model", "store", "domain"},
    "api": {"base", "run", "model", "auth", "http", "domain", "wire", "push", "api", "store"},
    "relay": {"base", "run", "model", "store", "domain", "wire", "push", "relay"},
    "imctl": {"base", "run", "model", "store", "auth", "wire", "imctl"},
}
# The processes, and the table of routes.
OUTSIDE = {"main.c", "worker.c", "worker.h", "routes.c", "routes.h"}
# api only needs the handle from store, which it passes on to the domain.
API_FROM_STORE = {"store/store.h"}
# Engines are private to store/, and independent of each other. ENGINES_FILE lists those that imd is
# built with. Only store/ and the engines know the structure of an engine.
ENGINES = ("store/sqlite/", "store/pg/", "store/memory/")
ENGINES_FILE = "store/engines.c"
ENGINE_HEADER = "store/engine.h"
LIBRARY_ROOM = {"sqlite3.h": "store/sqlite/db.c", "libpq-fe.h": "store/pg/db.c", "jansson.h": "wire/object.c", "fcgiapp.h": "http/server.c",
                "jwt.h": "auth/token.c", "seccomp.h": "run/sandbox.c"}
CRYPTO_FILE = "auth/token.c"
SOCKETS_ROOM = re.compile(r"(?<![\w>.])connect\(")
CONNECT_FILES = {"push/pipe.c", "http/listener.c", "imctl/control.c"}
SQL = re.compile(r'"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP)\s')
SQL_FILES = {"store/sqlite/sql.c", "store/pg/sql.c"}
# Only migrations run scripts, those of schema/.
SCRIPTS = re.compile(r"(?<!enum err )(db|pg)_script\(")
SCRIPTS_FILES = {"store/sqlite/migrate.c", "store/sqlite/db.c", "store/sqlite/db.h", "store/pg/migrate.c", "store/pg/db.c",
                 "store/pg/db.h"}
# Functions that imd never calls; run/sandbox.c forbids most of them to its processes too.
NEVER = re.compile(r"\b(execv\w*|execl\w*|posix_spawn\w*|system|popen|getaddrinfo|gethostbyname)\(|"
                   r"\bsocket\((?!AF_UNIX)|\b(strcpy|strcat|sprintf|gets|alloca)\(")


def breaches(path):
    """Yields (line number, sentence) for each breach in one file."""
    name = str(path.relative_to(HOUSE))
    room = name.split("/")[0] if "/" in name else None
    if room not in MAY_INCLUDE and name not in OUTSIDE:
        yield 1, "it is in no room of tests/lint/rooms.py"
    for number, line in enumerate(path.read_text().splitlines(), 1):
        include = re.match(r'#include ["<]([^">]+)[">]', line)
        if include:
            target = include.group(1)
            target_room = target.split("/")[0]
            if target in LIBRARY_ROOM and name != LIBRARY_ROOM[target]:
                yield number, f"only {LIBRARY_ROOM[target]} may include {target}"
            if target.startswith("openssl/") and name != CRYPTO_FILE:
                yield number, f"only {CRYPTO_FILE} may use libcrypto"
            if room and target_room in MAY_INCLUDE and target_room not in MAY_INCLUDE[room]:
                yield number, f"{room}/ must not include {target_room}/"
            for engine in ENGINES:
                is_listed = name == ENGINES_FILE and target == f"{engine}engine.h"
                if target.startswith(engine) and not name.startswith(engine) and not is_listed:
                    yield number, f"only {engine} may include its headers"
            if target == ENGINE_HEADER and room != "store":
                yield number, "only store/ may know the engines"
            if room == "api" and target_room == "store" and target not in API_FROM_STORE:
                yield number, "api/ passes the store on, and may include only store/store.h of it"
            if room and '"' in line and "/" not in target:
                yield number, f"{room}/ must not include the processes"
        if SQL.search(line) and name not in SQL_FILES:
            yield number, "SQL belongs into the sql.c of its engine"
        code = line.split("/*")[0]
        if SCRIPTS.search(code) and name not in SCRIPTS_FILES:
            yield number, "only migrations run scripts"
        if NEVER.search(code) and not code.startswith(" *"):
            yield number, f"forbidden: {NEVER.search(code).group()}"
        if SOCKETS_ROOM.search(line) and name not in CONNECT_FILES:
            yield number, "only push/ opens outgoing sockets"


def main():
    found = False
    for path in sorted(HOUSE.rglob("*.[ch]")):
        for number, sentence in breaches(path):
            print(f"{path.relative_to(HOUSE.parent)}:{number}: {sentence}")
            found = True
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
