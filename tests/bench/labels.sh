#!/usr/bin/env bash
# Label versions a second into files, in packs against one fsynced file each.   ./check bench labels [VERSIONS] [THREADS] [ROUNDS]
set -euo pipefail
work=$(mktemp -d "${TMPDIR:-/var/tmp}/annotate-bench-XXXXXX")
trap 'rm -rf "$work"' EXIT
"$ANNOTATE_BIN/bench-labels" "$work" "$@"
