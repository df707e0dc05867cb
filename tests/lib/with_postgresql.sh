#!/bin/bash
# Runs a command while a private PostgreSQL serves on a unix socket, and ends the server with it.
#
#   with_postgresql.sh COMMAND [ARGUMENT …]
#
# The command finds the server by IMD_POSTGRESQL, a URI of its database "postgres" whose user may do
# anything. Data is in a directory below TMPDIR, and is not written to disk on purpose: for tests
# that lose nothing if the machine fails. PostgreSQL refuses to run as root, so the server runs as
# the user postgres then.
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

# -m immediate: nothing of it is needed any more.
trap '"${become[@]}" "$bin/pg_ctl" -D "$dir/data" -m immediate -s stop || true; rm -rf "$dir"' EXIT

"${become[@]}" "$bin/initdb" -D "$dir/data" -U imd --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$dir/log" 2>&1 ||
    { cat "$dir/log" >&2; exit 1; }
"${become[@]}" "$bin/pg_ctl" -D "$dir/data" -l "$dir/data/log" -s -w \
    -o "-k '$dir' -c listen_addresses='' -c fsync=off -c full_page_writes=off -c max_connections=200" start ||
    { cat "$dir/data/log" >&2; exit 1; }
cd "$OLDPWD"
IMD_POSTGRESQL="postgresql:///postgres?host=$dir&user=imd" "$@"
