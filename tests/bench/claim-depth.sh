#!/usr/bin/env bash
# What one claim costs when the queue is deep: TASKS open tasks against SMALL; and for who did the first DONE tasks of a project of
# overlap 2, against a newcomer. One connection, one claim at a time, in turns.
#   ./check bench claim-depth [TASKS] [SMALL] [DONE] [SECONDS] [ROUNDS]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tasks=${1:-2000000} small=${2:-10000} finished=${3:-100000} seconds=${4:-4} rounds=${5:-3}

# The median time of a claim, in ms: database, line of the token.
claim_ms() {
    start_server "$1"
    sed -n "$2p" "$work/tokens" >"$work/one_token"
    "$ANNOTATE_BIN/bench-load" claim 127.0.0.1 "$port" "$work/one_token" 1 1 "$seconds" | awk '{print $4}'
    stop_server
}

# Runs two of them in turns, prints the ratio of their medians: name, database and line, name, database and line.
compare() {
    : >"$work/a" && : >"$work/b"
    for _ in $(seq "$rounds"); do
        claim_ms "$2" "$3" >>"$work/a"
        claim_ms "$5" "$6" >>"$work/b"
    done
    local a b
    a=$(median <"$work/a") b=$(median <"$work/b")
    echo "$1: $a ms, $4: $b ms, ratio $(ratio "$a" "$b")"
}

echo "seeding $tasks, $small and $((finished * 2)) tasks ..."
fresh_database bench_deep "$tasks"
fresh_database bench_small "$small"
fresh_database bench_twice $((finished * 2))
sql -v finished="$finished" bench_twice <<'SQL'
SET app.tenant = '1';
UPDATE task SET overlap = 2;
INSERT INTO assignment (tenant_id, project_id, task_id, stage, slot) SELECT 1, 1, id, 'annotate', 2 FROM task ORDER BY id;
UPDATE assignment SET state = 'submitted', holder = 1, version = 1 WHERE slot = 1 AND task_id <= :finished;
SQL
sql -c 'VACUUM ANALYZE' -c CHECKPOINT bench_twice
make_tokens bench_deep
for database in bench_small bench_twice; do sql -f "$work/tokens.sql" "$database"; done

compare "a claim of $tasks open tasks" bench_deep 1 "of $small" bench_small 1
compare "a claim of who did the first $finished" bench_twice 1 "of a newcomer" bench_twice 2
