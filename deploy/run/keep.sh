# Keeps a program running: keep.sh RUN LOG COMMAND... (a script of its own, handed to bash as text: the service user need not reach
# the tree). RUN.pid is the program's process, RUN.keeper ours. A program that was killed or ended with 1 is started again, after a
# pause that doubles up to 30 s and begins anew once it has run for a minute. Any other end is its own decision (0 it was told to, 2
# its settings are wrong, 3 going on would do harm) and is left alone. TERM: the program is not started again.
set -u
run=$1 log=$2
shift 2
ending= pause=1
trap 'ending=1' TERM
echo $$ >"$run.keeper"
while :; do
    began=$SECONDS
    "$@" >>"$log" 2>&1 &
    child=$!
    echo "$child" >"$run.pid"
    while :; do
        wait "$child"
        status=$?
        kill -0 "$child" 2>/dev/null || break # else a signal to us has ended the wait
    done
    if [ -n "$ending" ] || { [ "$status" -ne 1 ] && [ "$status" -lt 128 ]; }; then break; fi
    [ $((SECONDS - began)) -lt 60 ] || pause=1
    printf 'run: %s ended with status %s; starting it again in %s s\n' "${run##*/}" "$status" "$pause" >>"$log"
    sleep "$pause" &
    wait $! || true
    [ -z "$ending" ] || break
    pause=$((pause * 2 < 30 ? pause * 2 : 30))
done
rm -f "$run.keeper"
