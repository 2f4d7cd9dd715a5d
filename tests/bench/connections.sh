#!/usr/bin/env bash
# What waiting clients cost one server: PARKED claims on a project without work and STREAMS idle streams of events. Memory of each
# kind, processor time while nothing happens, and how long claims of others take beside them: ANNOTATORS claim without a pause, in
# turns without and with the waiting ones. Last, work for all the parked ones comes at once.
#   ./check bench connections [PARKED] [STREAMS] [SECONDS] [ROUNDS] [ANNOTATORS] [TASKS]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
parked=${1:-10000} streams=${2:-10000} seconds=${3:-8} rounds=${4:-2} annotators=${5:-4} tasks=${6:-400000}
people=1024 # of seed.sql
spare=2048 # descriptors for all else: the annotators, the database, a parent's
if ! ulimit -n $((parked + streams + spare)) 2>/dev/null; then
    ulimit -n "$(ulimit -Hn)"
    fit=$((($(ulimit -n) - 1024) / 2))
    parked=$((parked < fit ? parked : fit)) streams=$((streams < fit ? streams : fit))
    echo "only $(ulimit -n) descriptors: $parked claims and $streams streams"
fi

idle_pid=
stop_idle() {
    [ -z "$idle_pid" ] || { exec 8>&- 9<&-; wait "$idle_pid" || true; }
    idle_pid=
}
trap 'stop_idle; stop_server; rm -rf "$work"' EXIT

start_idle() { # parked, streams
    rm -f "$work/say" "$work/said"
    mkfifo "$work/say" "$work/said"
    "$ANNOTATE_BIN/bench-idle" 127.0.0.1 "$port" "$work/tokens" "$1" 2 "$2" 3 <"$work/say" >"$work/said" &
    idle_pid=$!
    exec 8>"$work/say" 9<"$work/said"
}

hear() { read -r -t 120 heard <&9 || { cat "$work/server.log"; echo "bench-idle says nothing"; return 1; }; }

rss() { awk '/^VmRSS/ {print $2}' "/proc/$server_pid/status"; }
cpu_ms() { awk -v hz="$(getconf CLK_TCK)" '{print ($14 + $15) * 1000 / hz}' "/proc/$server_pid/stat"; }
each() { awk -v a="$1" -v b="$2" -v n="$3" 'BEGIN {printf "%.1f", n ? (b - a) / n : 0}'; }

# The share of a core that the server takes in 10 s, in percent.
idle_cpu() {
    local before
    before=$(cpu_ms)
    sleep 10
    awk -v a="$before" -v b="$(cpu_ms)" 'BEGIN {printf "%.1f", (b - a) / 100}'
}

claims() { # name
    local p50 p99 rate errors
    read -r _ _ rate p50 p99 errors < <("$ANNOTATE_BIN/bench-load" claim 127.0.0.1 "$port" "$work/tokens" 1 "$annotators" "$seconds")
    [ "$errors" = 0 ]
    echo "$1: $rate claims/s, p50 $p50 ms, p99 $p99 ms, errors $errors"
    echo "$p99" >>"$work/p99.$1"
}

echo "seeding ..."
fresh_database bench "$tasks"
make_tokens bench
sql bench <<SQL
SET app.tenant = '1';
INSERT INTO project (tenant_id, name, workflow, salt, created_by)
    SELECT 1, 'bench' || i, '{"review":{"mode":"none"}}', 1, 1 FROM generate_series(2, 3) i;
INSERT INTO label_config (tenant_id, project_id, version, xml, created_by)
    SELECT 1, p, 1, xml, 1 FROM label_config, generate_series(2, 3) p;
INSERT INTO project_member (tenant_id, project_id, user_id, role, added_by)
    SELECT 1, p, u, CASE WHEN u = $people THEN 'manager' WHEN p = 3 THEN 'viewer' ELSE 'annotator' END, 1
    FROM generate_series(2, 3) p, generate_series(1, $people) u;
SQL
start_server bench --max-connections $((parked + streams + spare)) --max-per-address 1024
claims warm >/dev/null
echo "processor without any: $(idle_cpu) % of a core"
for round in $(seq "$rounds"); do
    claims without
    before=$(rss)
    start_idle "$parked" "$streams"
    hear # parked
    sleep 3
    between=$(rss)
    echo >&8
    hear # listening
    sleep 3
    if [ "$round" = 1 ]; then
        echo "memory: a parked claim $(each "$before" "$between" "$parked") KiB, an idle stream $(each "$between" "$(rss)" "$streams") KiB"
        echo "processor while $parked claims and $streams streams wait: $(idle_cpu) % of a core"
    fi
    claims with
    [ "$round" = "$rounds" ] || stop_idle
done

echo >&8
sleep 0.1
{ yes '{"data":{"image":"/v1/assets/0123456789abcdef0123456789abcdef"}}' || true; } | head -n "$parked" |
    curl -sS -f -o "$work/import" -w 'imported in %{time_total} s\n' -T - -X POST -H "Authorization: Bearer $(tail -n 1 "$work/tokens")" \
        -H 'Content-Type: application/x-ndjson' "http://127.0.0.1:$port/v1/projects/2/tasks?errors=stop"
hear
echo "work for all that are parked: $heard (claims, ms to the first, ms to the last)"
stop_idle
twice=$(sql -At -c "SELECT count(*) - count(DISTINCT assignment_id) FROM event WHERE action = 'claim' AND project_id = 2" bench)
echo "assignments handed out twice: $twice"
[ "$twice" = 0 ]
ceiling "p99 of a claim with them to one without" "$(ratio "$(median <"$work/p99.with")" "$(median <"$work/p99.without")")" 2
echo "p99 of a claim with them, by that without: connections ratio $(ratio "$(median <"$work/p99.with")" "$(median <"$work/p99.without")")"
exit "$missed"
