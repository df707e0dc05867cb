#!/bin/bash
# Runs a command while a private PostgreSQL serves on a unix socket, and ends the server with it.
#
#   with_postgresql.sh COMMAND [ARGUMENT …]
#
# IMD_POSTGRESQL tells the command where the server is: a URI of the database "postgres", with a
# user who may do anything. The data is below TMPDIR. The server does not flush it to disk, because
# tests do not need it after a failure of the machine. PostgreSQL refuses to run as root, so for
# root the server runs as the user postgres.
set -euo pipefail

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
[ -n "$bin" ] || { echo "with_postgresql.sh: there is no PostgreSQL server (Debian: apt install postgresql)" >&2; exit 1; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/imd-postgresql-XXXXXX")
become=()
if [ "$(id -u)" = 0 ]; then
    chown postgres "$dir"
    become=(setpriv --reuid=postgres --regid=postgres --init-groups)
fi
chmod 755 "$dir"
cd "$dir"

# -m immediate: the data is no longer needed.
trap '"${become[@]}" "$bin/pg_ctl" -D "$dir/data" -m immediate -s stop || true; rm -rf "$dir"' EXIT

"${become[@]}" "$bin/initdb" -D "$dir/data" -U imd --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$dir/log" 2>&1 ||
    { cat "$dir/log" >&2; exit 1; }
"${become[@]}" "$bin/pg_ctl" -D "$dir/data" -l "$dir/data/log" -s -w \
    -o "-k '$dir' -c listen_addresses='' -c fsync=off -c full_page_writes=off -c max_connections=200" start ||
    { cat "$dir/data/log" >&2; exit 1; }
cd "$OLDPWD"
IMD_POSTGRESQL="postgresql:///postgres?host=$dir&user=imd" "$@"
