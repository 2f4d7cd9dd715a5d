#!/usr/bin/env bash
# Tasks a second imported as NDJSON through HTTP against COPY of the very same rows (task, assignment, event) into the same tables
# with the same indexes, by psql: same run, in turns. Also: the server's memory meanwhile.   ./check bench import [TASKS] [ROUNDS] [MODE]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tasks=${1:-1000000} rounds=${2:-3} mode=${3:-refuse}
data=$(mktemp -d "${TMPDIR:-/tmp}/annotate-bench-data-XXXXXX") # not in $work: the server holds its web root in memory
trap 'stop_server; rm -rf "$work" "$data"' EXIT
chmod 777 "$data" # PostgreSQL writes there

python3 - "$tasks" >"$data/tasks.ndjson" <<'PY'
import hashlib, sys
for i in range(int(sys.argv[1])):
    print('{"data":{"image":"/v1/assets/%s"}}' % hashlib.md5(b"%d" % i).hexdigest())
PY

# Resident memory of the server, MB, five times a second.
watch_memory() { # pid
    while awk '/^VmRSS/ {print $2 / 1024}' "/proc/$1/status" 2>/dev/null; do sleep 0.2; done >"$work/rss"
}

through_http() {
    local token watcher
    fresh_database bench 0
    make_tokens bench
    sql -c "SET app.tenant = '1'; UPDATE project_member SET role = 'manager' WHERE user_id = 1" bench
    start_server bench
    token=$(head -n 1 "$work/tokens")
    # What is allocated once is allocated by a small import.
    head -n 5000 "$data/tasks.ndjson" | curl -sf -T - -X POST -H "Authorization: Bearer $token" -H 'Content-Type: application/x-ndjson' \
        "http://127.0.0.1:$port/v1/projects/1/tasks?errors=$mode" >/dev/null
    sql -c "TRUNCATE task, assignment, event, counter" -c CHECKPOINT bench
    watch_memory "$server_pid" &
    watcher=$!
    curl -sS -T "$data/tasks.ndjson" -X POST -H "Authorization: Bearer $token" -H 'Content-Type: application/x-ndjson' -H 'Expect:' \
        -o "$work/answer" -w '%{time_total} %{http_code}\n' "http://127.0.0.1:$port/v1/projects/1/tasks?errors=$mode" >"$work/time"
    kill "$watcher"
    stop_server
    read -r seconds status <"$work/time"
    [ "$status" = 201 ] || { cat "$work/answer"; return 1; }
    echo "$seconds" >>"$work/http"
}

columns() { # table
    sql -At -c "SELECT string_agg(quote_ident(attname), ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '$1'::regclass AND attnum > 0
                AND attname <> 'xid'" bench
}

by_copy() {
    local table script="$work/copy.sql"
    fresh_database bench_copy 0
    : >"$script"
    for table in task assignment event; do
        sql -c "COPY (SELECT $(columns $table) FROM $table) TO '$data/$table'" bench
        echo "\\copy $table ($(columns $table)) FROM '$data/$table'" >>"$script"
    done
    sql -c CHECKPOINT bench_copy
    /usr/bin/env time -f %e -o "$work/time" psql -q -X -1 -v ON_ERROR_STOP=1 -U postgres -f "$script" bench_copy
    cat "$work/time" >>"$work/copy"
    for table in task assignment event; do
        [ "$(sql -At -c "SELECT count(*) FROM $table" bench_copy)" = "$tasks" ]
    done
}

for round in $(seq "$rounds"); do
    through_http
    by_copy
    awk -v r="$round" -v n="$tasks" -v h="$(tail -n 1 "$work/http")" -v c="$(tail -n 1 "$work/copy")" -v growth="$work/growth" '
        {v[NR] = $1}
        END {
            for (i = 1; i <= NR; i++)
                if (i <= NR / 10 || i == 1) early = (v[i] > early ? v[i] : early)
                else late = (v[i] > late ? v[i] : late)
            printf "round %d: HTTP %d/s, COPY %d/s, ratio %.2f; server memory at most %.0f MB in the first tenth, %.0f MB after\n",
                r, n / h, n / c, c / h, early, late
            print (late > early ? late - early : 0) >>growth
        }' "$work/rss"
done
ratio=$(ratio "$(median <"$work/copy")" "$(median <"$work/http")")
ceiling "growth of the server's memory, MB" "$(sort -n "$work/growth" | tail -n 1)" 20
floor "import through HTTP to COPY" "$ratio" 0.5
echo "import ratio $ratio"
exit "$missed"
