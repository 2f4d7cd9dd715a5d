#!/usr/bin/env bash
# `./run demo` on 200 images with the programs of a sanitizer build, in an installation of its own that is thrown away.
# demo.sh BUILD [ARGUMENTS of the demo]. A word from a sanitizer in any log is a failure.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
export ANNOTATE_BUILD=$1
shift
ANNOTATE_VAR=$(mktemp -d /tmp/annotate-demo-XXXXXX)
export ANNOTATE_VAR
chmod 755 "$ANNOTATE_VAR"
passed=0 failed=0

finish() {
    "$root/run" stop >/dev/null || true
    rm -rf "$ANNOTATE_VAR"
}
trap finish EXIT

verdict() { # name, exit status
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL demo: $1"
    fi
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

crashes() { grep -lE 'AddressSanitizer|LeakSanitizer|runtime error:|^BUG ' "$ANNOTATE_VAR"/log/*.log; }

status=0
"$root/run" --port "$(free_port)" >/dev/null && "$root/run" demo --images 200 "$@" || status=$?
verdict "its figures add up" $status
[ $status -eq 0 ] || grep -hE '"level":"error"|ERROR: ' "$ANNOTATE_VAR"/log/*.log | tail -n 20 || true

# Leaks show at the exit.
status=0
"$root/run" stop || status=$?
verdict "all programs stop" $status

if logs=$(crashes); then
    cat $logs | grep -A 30 -E 'AddressSanitizer|LeakSanitizer|runtime error:|^BUG ' | head -n 80
    verdict "a sanitizer spoke" 1
else
    verdict "no sanitizer spoke" 0
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
