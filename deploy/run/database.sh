# The private PostgreSQL cluster: var/pg, reached by its socket only, peer authentication. Sourced by ./run.

pg_bin=/usr/lib/postgresql/15/bin

# A socket's path has at most 107 bytes, so a checkout that lies deep keeps it elsewhere.
database_socket() {
    local d=$var/pg-run
    [ ${#d} -le 88 ] || d=/tmp/annotate-$(printf '%s' "$var" | sha256sum | cut -c1-12)
    printf '%s' "$d"
}

superuser() { as_user psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$(database_socket)" -U postgres "$@"; }

# A quarter of the memory, at most 4 GB.
shared_buffers() {
    awk '/^MemTotal/ {mb = $2 / 4096; print int(mb < 64 ? 64 : mb > 4096 ? 4096 : mb) "MB"}' /proc/meminfo
}

# Made beside its place and moved there when complete, so that an interrupted first start leaves nothing half done.
database_init() {
    local new=$var/pg.new role
    say "making a database cluster in $var/pg"
    rm -rf "$new"
    install -d -m 700 -o "$user" "$new"
    as_user "$pg_bin/initdb" -D "$new" -U postgres --data-checksums --encoding=UTF8 --locale=C --auth=peer >/dev/null
    as_user tee "$new/annotate.conf" <"$root/deploy/run/postgresql.conf" >/dev/null
    as_user tee -a "$new/annotate.conf" >/dev/null <<CONF
shared_buffers = $(shared_buffers)
unix_socket_directories = '$(database_socket)'
CONF
    echo "include 'annotate.conf'" | as_user tee -a "$new/postgresql.conf" >/dev/null
    echo 'local all all peer map=annotate' | as_user tee "$new/pg_hba.conf" >/dev/null
    for role in postgres annotate_owner annotate_api annotate_worker; do
        printf 'annotate %s %s\nannotate root %s\n' "$user" "$role" "$role"
    done | sort -u | as_user tee "$new/pg_ident.conf" >/dev/null
    mv "$new" "$var/pg"
}

database_running() { as_user "$pg_bin/pg_ctl" -D "$var/pg" status >/dev/null 2>&1; }

# After a crash the file may name a process that is somebody else's by now.
forget_stale_postmaster() {
    local pid
    pid=$(as_user head -n 1 "$var/pg/postmaster.pid" 2>/dev/null) || return 0
    process_is "$pid" "$var/pg" || as_user rm -f "$var/pg/postmaster.pid"
}

database_up() {
    forget_stale_postmaster
    database_running ||
        as_user "$pg_bin/pg_ctl" -D "$var/pg" -s -w -t 120 -l "$var/log/postgres.log" start >/dev/null 2>&1 9>&-
}

database_start() {
    local dir
    dir=$(database_socket)
    [ -d "$dir" ] || install -d -m 700 -o "$user" "$dir"
    [ -f "$var/pg/PG_VERSION" ] || database_init
    # After kill -9 the old server's children hold its memory for a moment longer: try again until they are gone.
    wait_for 20 database_up || die "PostgreSQL did not start; see $var/log/postgres.log"
    [ "$(superuser -d postgres -c "SELECT 1 FROM pg_database WHERE datname = 'annotate'")" = 1 ] || database_create
    annotate --log-level warn migrate >/dev/null || die "the migrations failed"
}

database_create() {
    superuser -d postgres -c "SET client_min_messages = warning" -c "DROP DATABASE IF EXISTS annotate_new" -c "CREATE DATABASE annotate_new
        TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
    superuser -d annotate_new <"$root/deploy/roles.sql"
    superuser -d postgres -c "ALTER DATABASE annotate_new RENAME TO annotate"
}

database_stop() {
    forget_stale_postmaster
    ! database_running || as_user "$pg_bin/pg_ctl" -D "$var/pg" -s -w -m fast stop
}
