#!/usr/bin/env bash
# Whole cycles a second through HTTP (annotate -> review -> QA -> done, all of it reviewed and all of it inspected) against the same
# cycle one row a transaction (claim, submit, claim, accept, claim, pass; an fsynced file a label; 32 at once): same data, same run,
# in turns. People claim two tasks at a time, as the front end does, and hand them in one by one; the baseline claims one.
# Cycles a CPU-second: of the server and PostgreSQL, without the load generator; the baseline's own program is its server.
#   ./check bench cycle [TASKS] [ROUNDS] [CONNECTIONS]      TASKS of a round, on each side
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tasks=${1:-16000} rounds=${2:-3} connections=${3:-192}
threads=32 ahead=2
tasks=$((tasks / threads * threads)) all=$((2 * tasks * rounds))

# CPU ticks of the cluster so far: its processes, and those that it has reaped. Other processes may end while we look.
postmaster=$(sql -At -c "SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1)" postgres)
cluster_ticks() {
    { cat /proc/[0-9]*/stat 2>/dev/null || true; } | awk -v root="$postmaster" '
        {pid = $1; sub(/^.*\) /, "")}
        pid == root || $2 == root {n += $12 + $13 + $14 + $15}
        END {print n}'
}
server_ticks() { awk '{sub(/^.*\) /, ""); print $12 + $13}' "/proc/$server_pid/stat"; }
per_cpu() { awk -v n="$1" -v ticks="$2" -v own="$3" -v hz="$(getconf CLK_TCK)" 'BEGIN {printf "%.0f", n / (ticks / hz + own)}'; }

# Sets rate and cpu.
baseline() {
    local before own
    before=$(cluster_ticks)
    read -r _ _ rate own < <("$ANNOTATE_BIN/bench-onerow" cycle "host=$PGHOST dbname=bench user=annotate_api" "$work/files" "$here" \
        "$threads" $((tasks / threads)))
    cpu=$(per_cpu "$tasks" $(($(cluster_ticks) - before)) "$own")
}

# Sets rate, cpu, p50, p99 and errors.
ours() {
    local before
    before=$(($(cluster_ticks) + $(server_ticks)))
    read -r _ _ rate p50 p99 errors < <("$ANNOTATE_BIN/bench-cycle" 127.0.0.1 "$port" "$work/tokens" 1 "$connections" "$tasks" "$ahead")
    cpu=$(per_cpu "$tasks" $(($(cluster_ticks) + $(server_ticks) - before)) 0)
}

echo "seeding $all open tasks ..."
fresh_database bench "$all"
make_tokens bench
mkdir -p "$work/files"
sql bench <<'SQL'
SET app.tenant = '1';
UPDATE project SET workflow = '{"review":{"mode":"all"},"qa":{"percent":100}}';
UPDATE project_member SET role = (ARRAY['qa', 'annotator', 'reviewer'])[1 + user_id % 3];
SQL
start_server bench
for round in $(seq "$rounds"); do
    baseline
    one=$rate one_cpu=$cpu
    ours
    echo "round $round: one row a transaction $one/s, $one_cpu a CPU-second; through HTTP $rate/s, $cpu a CPU-second" \
        "(hand-ins p50 $p50 ms, p99 $p99 ms, errors $errors); ratios $(ratio "$rate" "$one"), $(ratio "$cpu" "$one_cpu")"
    [ "$errors" = 0 ]
    echo "$one" >>"$work/one"
    echo "$rate" >>"$work/ours"
    echo "$one_cpu" >>"$work/one.cpu"
    echo "$cpu" >>"$work/ours.cpu"
    sql -At -F ' ' -c "SELECT relname, n_tup_upd, n_tup_hot_upd, n_dead_tup, autovacuum_count FROM pg_stat_user_tables
                       WHERE relname IN ('assignment', 'task') ORDER BY 1" bench |
        awk '{printf "    %s: %d updates so far, %d of them HOT; %d dead rows; vacuumed %d times\n", $1, $2, $3, $4, $5}'
done
# Every task is done under version 4, and its history is what it must be, in this order, by three people.
whole=$(sql -At bench <<'SQL'
SELECT count(*) FROM task t
JOIN (SELECT task_id, string_agg(action || ' ' || task_version, ', ' ORDER BY seq) AS history, count(DISTINCT actor) AS people
      FROM event GROUP BY task_id) e ON e.task_id = t.id
WHERE t.state = 'done' AND t.version = 4 AND e.people = 3
  AND e.history = 'claim 1, submit 2, claim 2, accept 3, claim 3, pass 4'
SQL
)
echo "tasks done by exactly these six events: $whole of $all"
[ "$whole" = "$all" ]
echo "cycles a second $(median <"$work/ours"), a CPU-second $(median <"$work/ours.cpu") ($(ratio "$(median <"$work/ours.cpu")" \
    "$(median <"$work/one.cpu")") x the baseline's)"
echo "cycle ratio $(ratio "$(median <"$work/ours")" "$(median <"$work/one")")"
