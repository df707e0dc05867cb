#!/bin/bash
# Runs a private nginx and imd in the foreground. All their files are in one directory.
#
#   STATE=build/run PORT=8080 nginx/serve.sh
#
# Environment:
#   STATE                     the directory
#   PORT, LISTEN              the port, and the address (127.0.0.1)
#   IMD, IMD_FLAGS            the binary, and more flags for it
#   STORE                     sqlite, postgresql (a private server), or postgresql://… (a database)
#   AUTH                      none, proxy or jwt; jwt creates a key under STATE/keys
#   PREFIX                    the path to mount imd under
#   SITE                      a directory of pages to serve beside imd
#   LIMITS                    1: nginx's rate limits are on; else one address may make any load
#   NGINX_WORKERS             the number of nginx's workers
#   REDIS                     addresses of Redis, which pushes then pass through (imd-redis.conf)
#   HTTP_EXTRA, SERVER_EXTRA  files to include into http{} and server{}
#
# If root starts it, nginx's workers and imd run as www-data, which then owns their files.
# Prints a line "imd is ready …" once everything answers. TERM and INT stop all processes.
set -u
# No file is readable by others.
umask 027
# Debian's nginx is not on an ordinary user's PATH.
PATH=$PATH:/usr/sbin:/sbin

here=$(cd "$(dirname "$0")" && pwd)
port=${PORT:-8080}
imd=${IMD:-$here/../build/imd}
prefix=${PREFIX:-}
listen=${LISTEN:-127.0.0.1}
auth=${AUTH:-none}
store=${STORE:-sqlite}
limits=off
[ "${LIMITS:-0}" = 1 ] && limits=on
STATE=${STATE:-$here/../build/run}
# Messages are private, so a new directory is too. An existing one keeps its mode.
[ -d "$STATE" ] || mkdir -p -m 750 "$STATE" || exit 1
state=$(cd "$STATE" && pwd)
imd_pid=
postgresql_started=

fail() {
    echo "serve.sh: $1" >&2
    [ -n "${2:-}" ] && tail -n 5 "$2" >&2
    exit 1
}

case $port in *[!0-9]* | '') fail "PORT must be a number, not '$port'" ;; esac
[ -x "$imd" ] || fail "$imd is not there; run make first"
# A unix socket's path has at most 107 bytes.
[ ${#state} -le 90 ] || fail "STATE must be a path of at most 90 bytes, because sockets are in it: $state"
case $state in *[!A-Za-z0-9._/+-]*) fail "STATE must be a path of letters, digits and ._/+- only: $state" ;; esac

case $listen in *[!0-9a-f.:\[\]]* | '') fail "LISTEN must be an address, not '$listen'" ;; esac
case $auth in none | proxy | jwt) ;; *) fail "AUTH must be none, proxy or jwt, not '$auth'" ;; esac
case $store in sqlite | postgresql | postgresql://*) ;; *) fail "STORE must be sqlite, postgresql or postgresql://…, not '$store'" ;; esac
case ${REDIS:-} in *[!A-Za-z0-9._/:@\ -]*) fail "REDIS must be addresses like redis://127.0.0.1:6379, not '$REDIS'" ;; esac

# The address that answers from this machine, and whether only this machine can reach it.
host=$listen
loopback=
case $listen in
127.* | '[::1]') loopback=--loopback-only ;;
0.0.0.0) host=127.0.0.1 ;;
'[::]') host='[::1]' ;;
esac
url=http://$host:$port$prefix

site='return 404;'
if [ -n "${SITE:-}" ]; then
    SITE=$(cd "$SITE" && pwd) || fail "SITE must be a directory, not '$SITE'"
    case $SITE in *[!A-Za-z0-9._/+-]*) fail "SITE must be a path of letters, digits and ._/+- only: $SITE" ;; esac
    site="root $SITE; index index.html; include /etc/nginx/mime.types; charset utf-8;"
fi

# A descriptor that never delivers anything, to pause on. The process behind it has ended already.
exec {never}<> <(:)
pause() { read -rt "$1" -u "$never" || :; }

running() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }

# If root runs this, gives the directory to www-data, provided that www-data can enter it.
user=
become() {
    [ "$(id -u)" = 0 ] || return 0
    user=www-data
    chown "$user" "$state" "$state/tmp" || return 1
    for file in "$state"/imd.db* "$state/keys" "$state"/keys/*; do
        [ ! -e "$file" ] || chown "$user" "$file" || return 1
    done
    setpriv --reuid "$user" --regid "$user" --init-groups test -w "$state" && return 0
    user=root
    echo "serve.sh: www-data cannot enter $state, so imd runs as root: choose another STATE" >&2
}

# Runs a command of PostgreSQL in STATE, as the user of imd: the server refuses to run as root.
postgresql_run() {
    local programs
    # The newest installed version.
    programs=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
    (cd "$state" && PATH=$programs:$PATH exec ${user:+setpriv --reuid "$user" --regid "$user" --init-groups} "$@") {never}>&-
}

# Starts a private PostgreSQL. Only its user can enter its directory, so it needs no password. With
# its default settings, committed data is on the disk.
postgresql_start() {
    local dir=$state/postgresql
    [ "$user" != root ] || return 1
    postgresql_run mkdir -p -m 700 "$dir" || return 1
    if [ ! -d "$dir/data" ]; then
        # Renamed when it is complete, because initdb may be interrupted.
        postgresql_run rm -rf "$dir/new"
        postgresql_run initdb -D "$dir/new" -U imd --auth=trust --encoding=UTF8 --locale=C.UTF-8 >"$state/initdb.log" 2>&1 &&
            postgresql_run mv "$dir/new" "$dir/data" || return 1
    fi
    postgresql_started=yes
    postgresql_run pg_ctl start -D "$dir/data" -l "$dir/log" -s -w -t 60 -o "-k '$dir' -c listen_addresses=''" || return 1
    store="postgresql:///imd?host=$dir&user=imd"
    postgresql_run psql "$store" -Xqc '' 2>/dev/null || postgresql_run createdb -h "$dir" -U imd imd
}

postgresql_stop() {
    [ -z "$postgresql_started" ] || postgresql_run pg_ctl stop -D "$state/postgresql/data" -s -w -m fast
}

# Creates a secret for this directory, readable by its owner alone.
make_key() {
    [ "$auth" = jwt ] || return 0
    mkdir -p -m 700 "$state/keys" || return 1
    [ -s "$state/keys/dev.hs256" ] || (umask 077 && head -c 32 /dev/urandom | base64 >"$state/keys/dev.hs256")
}

# Copies the configuration, with the installed paths replaced by this directory's.
write_configuration() {
    local file http=imd-http.conf
    [ -z "${REDIS:-}" ] || http=imd-redis.conf
    # nginx's workers may not be able to enter the page's directory, so it is copied.
    mkdir -p "$state/html" && cp "$here"/html/* "$state/html/" && chmod -R a+rX "$state/html" || return 1
    for file in "$here"/imd-*.conf; do
        sed -e "s|/run/imd/|$state/|; s|/etc/imd/redis.conf|$state/redis.conf|; s|/usr/local/share/imd/nginx/|$state/|; s|/usr/local/share/imd/html/|$state/html/|; s|/var/log/nginx/imd.log|$state/access.log|" \
            "$file" >"$state/${file##*/}" || return 1
    done
    sed -e "s|@STATE@|$state|g; s|@PORT@|$port|; s|@WORKERS@|${NGINX_WORKERS:-2}|; s|@USER@|${user:+user $user;}|" \
        -e "s|@PREFIX@|$prefix|; s|@SITE@|$site|; s|@LISTEN@|$listen|; s|@LIMITS@|$limits|" \
        -e "s|@HTTP_EXTRA@|${HTTP_EXTRA:+include $HTTP_EXTRA;}|" \
        -e "s|@SERVER_EXTRA@|${SERVER_EXTRA:+include $SERVER_EXTRA;}|" \
        -e "s|@HTTP@|$http|" \
        "$here/nginx.conf" >"$state/nginx.conf" || return 1
    # shellcheck disable=SC2086  # several servers are meant to be split
    [ -z "${REDIS:-}" ] || printf 'nchan_redis_server %s;\n' $REDIS >"$state/redis.conf"
}

# True once the process has ended. nginx is a daemon, so it cannot be waited for, and its new parent
# may be slow to reap it.
gone() {
    local line
    line=$(grep '^State:' "/proc/$1/status" 2>/dev/null)
    [[ -z $line || $line == *Z* ]]
}

# Stops imd, nginx and PostgreSQL, and waits until all are gone.
end_all() {
    local nginx_pid
    trap '' TERM INT
    nginx_pid=$(cat "$state/nginx.pid" 2>/dev/null)
    [ -n "$imd_pid" ] && kill -TERM "$imd_pid" 2>/dev/null && wait "$imd_pid"
    if [ -n "$nginx_pid" ]; then
        kill -TERM "$nginx_pid" 2>/dev/null
        until gone "$nginx_pid"; do pause 0.02; done
    fi
    postgresql_stop
    rm -f "$state/imd.pid"
}

ready() { curl -fsS -o /dev/null "$url/healthz" 2>/dev/null; }

running "$state/nginx.pid" && fail "something already runs in $state (nginx $(cat "$state/nginx.pid"))"
running "$state/imd.pid" && fail "something already runs in $state (imd $(cat "$state/imd.pid"))"
mkdir -p "$state/tmp" || exit 1
# A killed nginx leaves its socket behind, which would block the next one.
rm -f "$state/nginx.pid" "$state/imd.pid" "$state/push.sock"
make_key || fail "cannot make a key in $state"
become || fail "cannot give $state to www-data"
write_configuration || fail "cannot write into $state"
trap 'ended=yes' TERM INT
nginx -p "$state" -c "$state/nginx.conf" 2>"$state/nginx-start.log" {never}>&- || fail "nginx does not start:" "$state/nginx-start.log"
# The daemon writes its pid a moment after the command returns. Without the pid it could not be
# stopped.
tries=0
until [ -s "$state/nginx.pid" ]; do
    tries=$((tries + 1))
    [ "$tries" -le 100 ] || fail "nginx does not start:" "$state/error.log"
    pause 0.05
done
# shellcheck disable=SC2086  # flags are meant to be split
trap 'end_all; exit 0' TERM INT
[ -z "${ended:-}" ] || { end_all; exit 0; }
case $store in
sqlite) store=sqlite:$state/imd.db ;;
postgresql) postgresql_start || { end_all; fail "PostgreSQL does not start:" "$state/postgresql/log"; } ;;
esac
"$imd" --store="$store" --socket="$state/imd.sock" --push-socket="$state/push.sock" --user="$user" \
    --auth="$auth" --jwt-keys="$state/keys" $loopback ${IMD_FLAGS:-} \
    2>>"$state/imd.log" >/dev/null </dev/null {never}>&- &
imd_pid=$!
echo "$imd_pid" >"$state/imd.pid"

tries=0
until ready; do
    if ! kill -0 "$imd_pid" 2>/dev/null; then
        end_all
        fail "imd does not start:" "$state/imd.log"
    fi
    tries=$((tries + 1))
    if [ "$tries" -gt 400 ]; then
        end_all
        fail "nothing answers at $url/healthz:" "$state/imd.log"
    fi
    pause 0.05
done

echo "imd is ready: $url/   (Ctrl-C stops it; its files are in $state)"
case $auth in
none)
    cat <<EOF
Open $url/im/ in two windows, as two users. Or try:
  curl -s $url/conversations/ -d '{"type": "private_chat", "members": ["alice", "bob"]}'
  curl -sN '$url/ws/?username=bob' -H 'Accept: text/event-stream' &
  curl -s $url/messages/ -d '{"conversation_id": 1, "username": "alice", "content": "hello"}'
EOF
    ;;
jwt)
    cat <<EOF
Open $url/im/#token=$("${imd%/*}/imctl" token --keys="$state/keys" --sub=alice)
as alice, for an hour. Or try:
  TOKEN=\$(${imd%/*}/imctl token --keys=$state/keys --sub=alice)
  curl -s $url/conversations/ -H "Authorization: Bearer \$TOKEN" -d '{"type": "private_chat", "members": ["bob"]}'
EOF
    ;;
esac

wait "$imd_pid"
status=$?
imd_pid=
end_all
fail "imd exited by itself with status $status:" "$state/imd.log"
