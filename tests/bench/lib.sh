# What the measurements share: a fresh database with TASKS open tasks and 1024 annotators, and a release server on it.
# Needs PGHOST (a durable throw-away cluster) and ANNOTATE_BIN; see ./check bench.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
work=$(mktemp -d "${TMPDIR:-/tmp}/annotate-bench-XXXXXX")
port=${BENCH_PORT:-18321}
server_pid=
missed=0 # exit with it: whether a figure was not what it must be
trap 'stop_server; rm -rf "$work"' EXIT

sql() { psql -q -X -v ON_ERROR_STOP=1 -U postgres "$@"; }

fresh_database() { # name, tasks
    sql -c "DROP DATABASE IF EXISTS $1 WITH (FORCE)" -c "CREATE DATABASE $1 TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'" postgres
    sql -f "$here/../../deploy/roles.sql" "$1" 2>/dev/null
    "$ANNOTATE_BIN/annotate" migrate --db-owner "host=$PGHOST dbname=$1 user=annotate_owner" >/dev/null 2>&1
    sql -v tasks="$2" -f "$here/seed.sql" "$1" >/dev/null
    sql -c 'VACUUM ANALYZE' -c CHECKPOINT "$1"
}

# One API token a line; its hash goes to the database, as `annotate token create` does it.
make_tokens() { # database
    python3 - >"$work/tokens.sql" 3>"$work/tokens" <<'PY'
import base64, hashlib, os
out = os.fdopen(3, "w")
print("SET app.tenant = '1'; TRUNCATE api_token;")
for i in range(1, 1025):
    token = "ann_1_%d_%s" % (i, base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("="))
    out.write(token + "\n")
    print("INSERT INTO api_token (tenant_id, id, user_id, name, sha256) OVERRIDING SYSTEM VALUE VALUES (1, %d, %d, 'bench', '\\x%s');"
          % (i, i, hashlib.sha256(token.encode()).hexdigest()))
PY
    sql -f "$work/tokens.sql" "$1"
}

start_server() { # database, more options...
    [ -f "$work/key" ] || (umask 077; head -c 32 /dev/urandom >"$work/key")
    "$ANNOTATE_BIN/annotate-server" --listen "127.0.0.1:$port" --db "host=$PGHOST dbname=$1 user=annotate_api" \
        --blobs "fs:$work/blobs" --token-key-file "$work/key" --web-root "$work" --user-rate 0 --log-level warn "${@:2}" 2>"$work/server.log" &
    server_pid=$!
    for _ in $(seq 100); do
        curl -sf "http://127.0.0.1:$port/readyz" >/dev/null && return
        sleep 0.1
    done
    cat "$work/server.log" >&2
    return 1
}

stop_server() {
    [ -z "$server_pid" ] || { kill "$server_pid" && wait "$server_pid"; } 2>/dev/null || true
    server_pid=
}

# Prints a figure beside what it must be at least, or at most, and remembers a miss.
floor() { judge "$1" "$2" 'at least' "$3" "$(awk -v a="$2" -v b="$3" 'BEGIN {print (a + 0 >= b + 0)}')"; } # name, value, least
ceiling() { judge "$1" "$2" 'at most' "$3" "$(awk -v a="$2" -v b="$3" 'BEGIN {print (a + 0 <= b + 0)}')"; } # name, value, most
judge() { # name, value, word, bound, 1 = holds
    [[ $2 =~ ^[0-9.]+$ && $5 = 1 ]] || { missed=1; echo "$1: $2 ($3 $4: MISSED)"; return; }
    echo "$1: $2 ($3 $4)"
}

median() { sort -n | awk '{v[NR] = $1} END {print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2f", a / b}'; }
