#!/usr/bin/env bash
# Rows a second of a release exported by `annotate export` through HTTP against COPY ... TO of the very same JSON by psql, in turns: our
# lines, and what is in the COCO file. Also: peak memory of server and command, and whether time grows with the data and no faster.
#   ./check bench export [LABELS...]      ten boxes a task; default 10000 100000 1000000
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ $# -gt 0 ] || set -- 10000 100000 1000000
data=$(mktemp -d "${TMPDIR:-/tmp}/annotate-bench-data-XXXXXX") # not in $work: the server holds its web root in memory
trap 'stop_server; rm -rf "$work" "$data"' EXIT
config='<View><Image name="image" value="$image"/><RectangleLabels name="box" toName="image"><Label value="A"/><Label value="B"/></RectangleLabels></View>'

# Tasks with a label of ten boxes each, as Label Studio exports them.
make_tasks() { # labels
    python3 - "$(($1 / 10))" <<'PY'
import hashlib, random, sys
boxes = random.Random(1)
for task in range(int(sys.argv[1])):
    regions = ",".join(
        '{"id":"r%d","type":"rectanglelabels","from_name":"box","to_name":"image","original_width":1920,"original_height":1080,'
        '"image_rotation":0,"value":{"x":%.4f,"y":%.4f,"width":%.4f,"height":%.4f,"rotation":0,"rectanglelabels":["%s"]}}'
        % (n, boxes.random() * 50, boxes.random() * 50, boxes.random() * 50, boxes.random() * 50, "AB"[n % 2]) for n in range(10))
    print('{"data":{"image":"/v1/assets/%s"},"annotations":[{"result":[%s]}]}' % (hashlib.md5(b"%d" % task).hexdigest(), regions))
PY
}

# A database with a ready release of so many labels, and no server on it.
make_release() { # labels
    local status exporter
    fresh_database bench 0
    make_tokens bench
    sql -v config="$config" bench <<'SQL'
SET app.tenant = '1';
UPDATE project_member SET role = 'manager' WHERE user_id = 1;
UPDATE label_config SET xml = :'config';
SQL
    start_server bench
    (umask 077; head -n 1 "$work/tokens" >"$data/token")
    status=$(make_tasks "$1" | curl -sS -T - -X POST -H "Authorization: Bearer $(cat "$data/token")" -H 'Content-Type: application/x-ndjson' \
        -H 'Expect:' -o "$work/answer" -w '%{http_code}' "http://127.0.0.1:$port/v1/projects/1/tasks")
    stop_server
    [ "$status" = 201 ] || { cat "$work/answer" >&2; return 1; }
    sql bench <<'SQL'
SET app.tenant = '1';
UPDATE task SET state = 'done';
INSERT INTO release (tenant_id, project_id, name, state, split, salt, created_by) VALUES (1, 1, 'bench', 'building', '{"train":1}', '', 1);
SQL
    "$ANNOTATE_BIN/annotate-export" --db-worker "host=$PGHOST dbname=bench user=annotate_worker" --blobs "fs:$work/blobs" --poll-ms 100 \
        --log-level warn &
    exporter=$!
    until [ "$(sql -At -c 'SELECT state FROM release' bench)" != building ]; do sleep 0.2; done
    kill "$exporter" && wait "$exporter" || true
    [ "$(sql -At -c 'SELECT state, items FROM release' bench)" = "ready|$(($1 / 10))" ]
    sql -c 'VACUUM ANALYZE' -c CHECKPOINT bench
}

# By the command line, into a file; appends the seconds, and the peak memory of both in MB.
by_export() { # format, container
    start_server bench
    rm -f "$data/export"
    /usr/bin/env time -f '%e %M' -o "$work/time" "$ANNOTATE_BIN/annotate" export --server "http://127.0.0.1:$port" --token-file "$data/token" \
        --release 1 --format "$1" --container "$2" --out "$data/export" 2>"$work/said" || { cat "$work/said" >&2; return 1; }
    awk '/^VmHWM/ {print $2 / 1024}' "/proc/$server_pid/status" >>"$work/server_peak"
    stop_server
    awk '{print $1}' "$work/time" >>"$work/$1"
    awk '{print $2 / 1024}' "$work/time" >>"$work/command_peak"
}

# The lines of a file as rows of a table, out again by psql.
by_copy() { # name, file of lines
    sql -c 'DROP TABLE IF EXISTS line' -c 'CREATE TABLE line (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, said json NOT NULL)' \
        -c "\\copy line (said) FROM '$2' (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')" -c 'VACUUM ANALYZE line' -c CHECKPOINT bench
    /usr/bin/env time -f %e -o "$work/time" psql -q -X -U postgres -c "\\copy (SELECT said FROM line ORDER BY n) TO '$data/copy' (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')" bench
    cmp -s "$2" "$data/copy" || { echo "COPY gave other lines" >&2; return 1; }
    cat "$work/time" >>"$work/copy_$1"
}

for labels in "$@"; do
    rm -f "$work"/{jsonl,coco,copy_jsonl,copy_coco,server_peak,command_peak}
    make_release "$labels"
    for _ in 1 2 3; do
        by_export jsonl file
        by_copy jsonl "$data/export"
        by_export coco tar
        tar -xOf "$data/export" annotations/instances_train.json | sed -n 's/^\({"id":.*}\),$/\1/p' >"$data/lines"
        by_copy coco "$data/lines"
    done
    for kind in jsonl coco; do
        ours=$(median <"$work/$kind") theirs=$(median <"$work/copy_$kind")
        awk -v n="$labels" -v k=$kind -v o="$ours" -v t="$theirs" 'BEGIN {printf "%d labels, %s: export %d/s, COPY %d/s\n", n, k, n / o, n / t}'
        echo "$labels $ours" >>"$work/growth_$kind"
        [ "$labels" -lt 100000 ] || floor "$labels labels, $kind to COPY" "$(ratio "$theirs" "$ours")" 0.5
    done
    ceiling "$labels labels, peak memory of the server, MB" "$(sort -n "$work/server_peak" | tail -n 1)" 64
    ceiling "$labels labels, peak memory of the command, MB" "$(sort -n "$work/command_peak" | tail -n 1)" 64
done
# Seconds a label at the largest size against the one before it: more is not linear.
for kind in jsonl coco; do
    [ $# -lt 2 ] || ceiling "$kind: time a label, largest to the one before" \
        "$(tail -n 2 "$work/growth_$kind" | awk 'NR == 1 {a = $2 / $1} NR == 2 {printf "%.2f", ($2 / $1) / a}')" 1.3
done
exit "$missed"
