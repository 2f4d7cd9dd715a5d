#!/usr/bin/env bash
# Bytes a second of one large film, streamed over loopback into an asset, against `cat` of the same file through the same SHA-256, in
# turns; and whether the server's memory stays flat meanwhile.   ./check bench upload [MB] [ROUNDS]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
mb=${1:-2048} rounds=${2:-3}
data=$(mktemp -d "${TMPDIR:-/tmp}/annotate-bench-data-XXXXXX") # not in $work: the server holds its web root in memory
trap 'stop_server; rm -rf "$work" "$data"' EXIT

rss() { awk -v what="$1:" '$1 == what {print $2 / 1024}' "/proc/$server_pid/status"; } # VmRSS, VmHWM in MB
reset_peak() { echo 5 >"/proc/$server_pid/clear_refs"; }

fresh_database bench 0
make_tokens bench
sql -c "SET app.tenant = '1'" -c "UPDATE project_member SET role = 'manager' WHERE user_id = 1" bench
start_server bench
(umask 077; printf 'Authorization: Bearer %s\n' "$(head -n 1 "$work/tokens")" >"$data/header")
for round in $(seq "$rounds"); do
    # The head of an MP4 and what does not compress; another film each round, or it is there already.
    { printf '\0\0\0\30ftypmp42\0\0\0\0mp42isom\0\0\0\10mdat'; head -c "$((mb << 20))" /dev/urandom; } >"$data/film"
    sync "$data/film"
    before=$(rss VmRSS)
    reset_peak
    status_seconds=$(curl -sS -X POST -T "$data/film" -H "@$data/header" -H 'Content-Type: video/mp4' -H 'Expect:' -o "$data/answer" \
        -w '%{http_code} %{time_total}' "http://127.0.0.1:$port/v1/assets")
    read -r status ours <<<"$status_seconds"
    [ "$status" = 201 ] || { cat "$data/answer" >&2; exit 1; }
    rss VmHWM | awk -v before="$before" '{print $1 - before}' >>"$work/grown"
    start=$EPOCHREALTIME
    sum=$(cat "$data/film" | openssl dgst -sha256 -r | cut -d ' ' -f 1)
    cat_s=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN {print b - a}')
    grep -q "\"$sum\"" "$data/answer" || { echo "the server says another hash" >&2; exit 1; }
    find "$work/blobs" -name "$sum" -size +"$((mb - 1))"M | grep -q . || { echo "there is no such object" >&2; exit 1; }
    find "$work/blobs" -name "$sum" -delete
    awk -v n=$round -v mb="$mb" -v o="$ours" -v c="$cat_s" 'BEGIN {printf "round %d: uploaded %d MB/s, cat and hash %d MB/s\n", n, mb / o, mb / c}'
    echo "$ours" >>"$work/ours"
    echo "$cat_s" >>"$work/cat"
done
ratio=$(ratio "$(median <"$work/cat")" "$(median <"$work/ours")")
ceiling "the server's memory grows by, MB" "$(sort -n "$work/grown" | tail -n 1)" 20
floor "an upload to cat and hash" "$ratio" 0.5
echo "upload ratio $ratio"
exit "$missed"
