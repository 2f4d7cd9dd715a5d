#!/usr/bin/env bash
# Durable claims a second through HTTP against pgbench running the same claim one row a transaction: same data, same run, in turns.
#   ./check bench claim-rate [TASKS] [SECONDS] [ROUNDS] [CONNECTIONS]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tasks=${1:-1000000} seconds=${2:-8} rounds=${3:-3} connections=${4:-128}

echo "seeding $tasks open tasks ..."
fresh_database bench "$tasks"
make_tokens bench
start_server bench
for round in $(seq "$rounds"); do
    one=$(pgbench -n -M prepared -U annotate_api -c 32 -j 2 -T "$seconds" -f "$here/claim_one.sql" bench 2>/dev/null |
        awk '/^tps/ {print int($3)}')
    read -r _ _ ours p50 p99 errors < <("$ANNOTATE_BIN/bench-load" claim 127.0.0.1 "$port" "$work/tokens" 1 "$connections" "$seconds")
    echo "round $round: one row a transaction $one/s, through HTTP $ours/s (p50 $p50 ms, p99 $p99 ms, errors $errors), ratio $(ratio "$ours" "$one")"
    [ "$errors" = 0 ]
    echo "$one" >>"$work/one"
    echo "$ours" >>"$work/ours"
done
twice=$(sql -At -c "SELECT count(*) - count(DISTINCT (assignment_id, assignment_version)) FROM event WHERE action = 'claim'" bench)
echo "assignments handed out twice under one version: $twice"
[ "$twice" = 0 ]
ratio=$(ratio "$(median <"$work/ours")" "$(median <"$work/one")")
floor "claims through HTTP to one row a transaction" "$ratio" 3.5
echo "claim ratio $ratio"
exit "$missed"
