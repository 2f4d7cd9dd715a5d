#!/usr/bin/env bash
# Durable submits a second through HTTP against one label at a time (an fsynced file and a transaction each, 32 at once): same data,
# same run, in turns.   ./check bench submit [TASKS] [PER_ROUND] [ROUNDS] [CONNECTIONS]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tasks=${1:-1000000} per_round=${2:-38400} rounds=${3:-3} connections=${4:-128}
threads=32

echo "seeding $tasks open tasks ..."
fresh_database bench "$tasks"
make_tokens bench
mkdir -p "$work/files"
# The baseline's tasks lie at the far end, leased already; the server takes its own from the head.
sql -c "SET app.tenant = '1'; UPDATE assignment SET state = 'leased', holder = 1, version = 1, lease_expires_at = now() + interval '1 day'
        WHERE id > $tasks - $per_round * $rounds" -c 'VACUUM ANALYZE assignment' bench
start_server bench
for round in $(seq "$rounds"); do
    first=$((tasks - per_round * (rounds - round + 1) + 1))
    read -r _ _ one _ < <("$ANNOTATE_BIN/bench-onerow" submit "host=$PGHOST dbname=bench user=annotate_api" "$work/files" "$here" "$threads" \
        $((per_round / threads)) "$first")
    read -r n _ ours p50 p99 errors < <("$ANNOTATE_BIN/bench-load" submit 127.0.0.1 "$port" "$work/tokens" 1 "$connections" \
        $((per_round / connections)))
    echo "round $round: one at a time $one/s, through HTTP $ours/s ($n, p50 $p50 ms, p99 $p99 ms, errors $errors), ratio $(ratio "$ours" "$one")"
    echo "$one" >>"$work/one"
    echo "$ours" >>"$work/ours"
done
done_tasks=$(sql -At -c "SELECT count(*) FROM task WHERE state = 'done'" bench)
echo "tasks done: $done_tasks of $((2 * per_round * rounds))"
[ "$done_tasks" = $((2 * per_round * rounds)) ]
ratio=$(ratio "$(median <"$work/ours")" "$(median <"$work/one")")
floor "submits through HTTP to one label at a time" "$ratio" 3
echo "submit ratio $ratio"
exit "$missed"
