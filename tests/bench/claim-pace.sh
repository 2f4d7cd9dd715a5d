#!/usr/bin/env bash
# How long a claim and a submit take while people work at their own pace: ANNOTATORS on keep-alive connections, each claims and
# submits every 5 s, with a heartbeat and a draft between. In turns: alone, beside an import into another project, beside one into
# the very same project, and beside one that is checked as a whole first, as it is by default.
#   ./check bench claim-pace [SECONDS] [ROUNDS] [ANNOTATORS] [TASKS]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
seconds=${1:-30} rounds=${2:-1} annotators=${3:-1000} tasks=${4:-200000}
people=1024 # of seed.sql; the last is the manager who imports

# An import without end; its row counts the tasks.
start_import() { # project, what becomes of bad tasks
    yes '{"data":{"image":"/v1/assets/0123456789abcdef0123456789abcdef"}}' |
        curl -sS -T - -X POST -H "Authorization: Bearer $(tail -n 1 "$work/tokens")" -H 'Content-Type: application/x-ndjson' \
            "http://127.0.0.1:$port/v1/projects/$1/tasks?errors=$2" >"$work/import" 2>&1 &
    import_pid=$!
}

stop_import() {
    [ -z "$import_pid" ] || { kill "$import_pid" && wait "$import_pid"; } 2>/dev/null || true
    import_pid=
}

imported() { sql -At -c 'SELECT coalesce(sum(seen), 0) FROM import' bench; }

# One turn: name, arguments of start_import or none. Appends the worse p99 of claim and submit to $work/p99.NAME.
turn() {
    local before after rate=
    [ $# -eq 1 ] || { start_import "${@:2}"; sleep 2; }
    before=$(imported)
    "$ANNOTATE_BIN/bench-pace" 127.0.0.1 "$port" "$work/tokens" 1 "$annotators" 5 "$seconds" >"$work/pace"
    after=$(imported)
    if [ $# -gt 1 ]; then
        rate=$(((after - before) / (seconds + 5)))
        kill -0 "$import_pid" && [ "$rate" -gt 0 ] || { cat "$work/import" "$work/server.log"; return 1; }
    fi
    stop_import
    echo "$1${rate:+, $rate tasks/s of the import}:"
    awk 'NF == 5 {printf "    %-9s %4d/s, p50 %.2f ms, p99 %.2f ms, max %.2f ms\n", $1, $2, $3, $4, $5}' "$work/pace"
    awk '$1 == "claim" {c = $4} $1 == "submit" {s = $4} END {print (c > s ? c : s)}' "$work/pace" >>"$work/p99.$1"
}

import_pid=
trap 'stop_import; stop_server; rm -rf "$work"' EXIT
echo "seeding $tasks open tasks ..."
fresh_database bench "$tasks"
make_tokens bench
sql -v manager="$people" bench <<'SQL'
SET app.tenant = '1';
UPDATE project_member SET role = 'manager' WHERE user_id = :manager;
UPDATE label_config SET xml = '<View><Image name="image" value="$image"/><RectangleLabels name="box" toName="image"><Label value="A"/>'
    '<Label value="B"/></RectangleLabels></View>';
INSERT INTO project (tenant_id, name, workflow, salt, created_by) SELECT tenant_id, 'other', workflow, 2, created_by FROM project;
INSERT INTO label_config (tenant_id, project_id, version, xml, created_by) SELECT tenant_id, 2, version, xml, created_by FROM label_config;
INSERT INTO project_member (tenant_id, project_id, user_id, role, added_by) VALUES (1, 2, :manager, 'manager', 1);
SQL
start_server bench
for _ in $(seq "$rounds"); do
    turn alone
    turn other 2 stop
    turn same 1 stop
    turn checked 1 refuse
done
for name in alone other same checked; do median <"$work/p99.$name" >"$work/$name"; done
echo "p99 in ms, the worse of claim and submit:"
ceiling "alone" "$(<"$work/alone")" 10
ceiling "beside an import into another project" "$(<"$work/other")" 10
ceiling "beside an import into the same project" "$(<"$work/same")" 10
ceiling "beside one that is checked first" "$(<"$work/checked")" 10
echo "claim-pace ratio $(ratio "$(<"$work/same")" "$(<"$work/alone")")"
exit "$missed"
