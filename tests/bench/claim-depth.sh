#!/usr/bin/env bash
# What one claim costs when the queue is deep: TASKS open tasks against SMALL; and for who did the first DONE tasks of a project of
# overlap 2, against a newcomer: also the very first claim of theirs, without a cursor. One claim at a time, in turns.
#   ./check bench claim-depth [TASKS] [SMALL] [DONE] [CLAIMS] [ROUNDS]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tasks=${1:-10000000} small=${2:-10000} finished=${3:-100000} claims=${4:-200} rounds=${5:-3}

claimed() { sql -At -c "SELECT count(*) FROM event WHERE action = 'claim'" "$1"; }

# The median time of a claim, in ms, after the first few: database, line of the token.
claim_ms() {
    local token before
    token=$(sed -n "$2p" "$work/tokens")
    before=$(claimed "$1")
    start_server "$1"
    for _ in $(seq $((claims + 5))); do
        [ -z "${forget:-}" ] || sql -c 'TRUNCATE claim_cursor' "$1"
        curl -sf -o /dev/null -w '%{time_total}\n' -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
            -d '{"stage":"annotate","more":true,"lease_s":3600}' "http://127.0.0.1:$port/v1/projects/1/claims"
    done | tail -n "$claims" | awk '{print $1 * 1000}' | median
    stop_server
    [ "$(claimed "$1")" = $((before + claims + 5)) ] || { echo "not every answer was a claim" >&2; return 1; }
}

# Runs two of them in turns, prints the ratio of their medians: name, database and line, name, database and line, the most it may be.
compare() {
    : >"$work/a" && : >"$work/b"
    for _ in $(seq "$rounds"); do
        claim_ms "$2" "$3" >>"$work/a"
        claim_ms "$5" "$6" >>"$work/b"
    done
    local a b
    a=$(median <"$work/a") b=$(median <"$work/b")
    echo "$1: $a ms, $4: $b ms, ratio $(ratio "$a" "$b")"
    ceiling "$1 to one $4" "$(ratio "$a" "$b")" "$7"
}

echo "seeding $tasks, $small and $((finished * 2)) tasks ..."
fresh_database bench_deep "$tasks"
fresh_database bench_small "$small"
fresh_database bench_twice $((finished * 2))
sql -v finished="$finished" bench_twice <<'SQL'
SET app.tenant = '1';
UPDATE task SET overlap = 2;
TRUNCATE assignment;
INSERT INTO assignment (tenant_id, project_id, task_id, stage, slot, opened)
    SELECT 1, 1, id, 'annotate', slot, NULL FROM task, generate_series(1, 2) slot ORDER BY id, slot; -- as an import does
UPDATE assignment SET state = 'submitted', holder = 1, version = 1 WHERE slot = 1 AND task_id <= :finished;
SQL
sql -c 'VACUUM ANALYZE' -c CHECKPOINT bench_twice
make_tokens bench_deep
for database in bench_small bench_twice; do sql -f "$work/tokens.sql" "$database"; done

compare "a claim of $tasks open tasks" bench_deep 1 "of $small" bench_small 1 1.3
compare "a claim of who did the first $finished" bench_twice 1 "of a newcomer" bench_twice 2 2
forget=yes claims=20
compare "a first claim of who did the first $finished" bench_twice 1 "of a newcomer" bench_twice 2 2
exit "$missed"
