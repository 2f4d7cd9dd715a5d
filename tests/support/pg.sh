#!/usr/bin/env bash
# A throw-away PostgreSQL cluster for tests: pg.sh start DIRECTORY | pg.sh stop DIRECTORY. The socket lies in DIRECTORY
# itself (its path must be short) and every role may connect: it is for tests alone. Nothing is flushed, unless
# PG_DURABLE=1 (measurements).
set -euo pipefail

bin=/usr/lib/postgresql/15/bin
verb=${1:?start or stop} dir=${2:?a directory}

# PostgreSQL refuses to run as root; Debian's package made a user for it.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --init-groups "$@"; else "$@"; fi
}

start() {
    mkdir -p "$dir"
    [ "$(id -u)" != 0 ] || chown postgres "$dir"
    cd "$dir"
    as_postgres "$bin/initdb" -D "$dir/data" -U postgres --encoding=UTF8 --locale=C --auth=trust --no-sync >/dev/null
    as_postgres tee -a "$dir/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = ''
unix_socket_directories = '$dir'
max_connections = 200
max_wal_size = 4GB
autovacuum_naptime = 5s
CONF
    as_postgres tee -a "$dir/data/postgresql.conf" >/dev/null <<CONF
$([ "${PG_DURABLE:-0}" = 1 ] && printf 'shared_buffers = 2GB\n' || printf 'shared_buffers = 256MB\nfsync = off\nfull_page_writes = off\n')
CONF
    as_postgres "$bin/pg_ctl" -D "$dir/data" -s -w -l "$dir/log" start >/dev/null
}

stop() {
    cd "$dir"
    as_postgres "$bin/pg_ctl" -D "$dir/data" -s -w -m immediate stop
    rm -rf "$dir/data"
}

case $verb in
start) start ;;
stop) stop ;;
*) echo "usage: pg.sh start|stop DIRECTORY" >&2; exit 2 ;;
esac
