#!/usr/bin/env bash
# All that a claim must hold: how many a second (claim-rate), whatever the depth of the queue (claim-depth), how fast for people at
# their own pace beside an import (claim-pace). Each is a measurement of its own, too. Arguments are claim-rate's.
#   ./check bench claim [TASKS] [SECONDS] [ROUNDS] [CONNECTIONS]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
output=$(mktemp) missed=0
trap 'rm -f "$output"' EXIT

for part in rate depth pace; do
    echo "== claim-$part"
    bash "$here/claim-$part.sh" "$@" | tee -a "$output" || missed=1
    set -- # the rest have others
done
grep '^claim ratio' "$output"
exit "$missed"
