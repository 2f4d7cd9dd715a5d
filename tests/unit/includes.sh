#!/bin/bash
# Include arrows go down only (docs/design.md §2), HTTP and SQL stay in their places. Prints each
# offence as FILE:LINE: what, and exits 1 on any.   includes.sh [ROOT]
# It first runs over a small tree full of offences and must find every one of them.
set -u

# folder -> the folders it may include; a folder of workers/ may include itself alone.
declare -A may=(
    [base]="base"
    [core]="base core"
    [schema]="base schema"
    [io]="base io schema"
    [storage]="base io core storage"
    [formats]="base io schema core storage formats"
    [annotate-server]="base io schema core storage formats annotate-server"
    [workers]="base io schema core storage formats"
    [cli]="base io schema core storage formats cli"
)
folders=(base core schema io storage formats annotate-server workers cli)

# A third-party header, the files that may include it, why.
headers=(
    'event2/http|^$|evhttp is not used: libevent carries the bytes, llhttp parses'
    'event2/|^(io|annotate-server|workers|cli)/|no event loop below io'
    'libpq-fe\.h|^(io|schema)/|libpq lives in io and schema'
    'llhttp|^annotate-server/http/|HTTP is parsed in annotate-server/http only'
    'curl/|^io/http_|the HTTP client is io/http_client'
    'json-c/|^(core|formats|storage|io|annotate-server|workers|cli)/|base knows no json-c'
    'libxml/|^(core|formats)/|XML is read in core and formats'
    'librdkafka/|^(workers/stream/|cli/|io/kafka_security)|Kafka is written by workers/stream and read back by the command line'
    'archive(_entry)?\.h|^formats/|archives live in formats'
    'openssl/|^(base|io|annotate-server|storage|workers|cli)/|core is pure: hashes come from base'
    '(jwt|turbojpeg)\.h|^(annotate-server|workers)/|only programs use it'
    'png\.h|^(workers/|formats/png_rows)|PNG is written by formats/png_rows and read by a worker'
)

offend() # FILE:LINE:TEXT WHY
{
    local at=${1%%:*} rest=${1#*:}
    echo "$at:${rest%%:*}: $2"
}

# The folder that FILE belongs to, a folder of workers/ counting for itself.
house()
{
    case $1 in
    workers/*/*) echo "${1%"${1#workers/*/}"}" ;;
    *) echo "${1%%/*}/" ;;
    esac
}

check_own_includes()
{
    local hit file target folder
    while IFS= read -r hit; do
        file=${hit%%:*}
        target=$(sed -E 's/^[^"]*"([^"]*)".*/\1/' <<<"$hit")
        folder=${file%%/*}
        case $target in
        *.inc) continue ;; # generated beside its reader
        */*) ;;
        *) offend "$hit" "\"$target\" is not a path from the root"; continue ;;
        esac
        [ "$(house "$file")" = "$(house "$target")" ] && continue
        case " ${may[$folder]} " in
        *" ${target%%/*} "*) ;;
        *) offend "$hit" "$folder must not include $target" ;;
        esac
    done < <(grep -rnE '^[ \t]*#[ \t]*include[ \t]*"' --include='*.[ch]' "${folders[@]}" 2>/dev/null)
}

check_foreign_includes()
{
    local row pattern allowed why hit
    for row in "${headers[@]}"; do
        pattern=${row%%|*}
        why=${row##*|}
        allowed=${row#*|}
        allowed=${allowed%|*}
        while IFS= read -r hit; do
            grep -qE "$allowed" <<<"${hit%%:*}" || offend "$hit" "$why"
        done < <(grep -rnE "^[ \t]*#[ \t]*include[ \t]*[<\"]([a-z0-9.-]+/)?$pattern" \
            --include='*.[ch]' "${folders[@]}" 2>/dev/null)
    done
}

check_sql()
{
    local hit
    while IFS= read -r hit; do
        offend "$hit" "SQL text outside schema/"
    done < <(grep -rnE '"[^"]*\b(SELECT .|INSERT INTO|UPDATE .* SET|DELETE FROM|WITH .* AS \()' \
        --include='*.[ch]' "${folders[@]}" 2>/dev/null | grep -v '^schema/')
}

check_tree()
{
    cd "$1" || exit 2
    check_own_includes
    check_foreign_includes
    check_sql
}

# Each line of this tree is an offence, but for the last file's.
self_test()
{
    local dir found want
    dir=$(mktemp -d)
    mkdir -p "$dir"/{base,core,schema,io,storage,formats,annotate-server/api,workers/stream,workers/upkeep,cli}
    printf '#include "core/a.h"\n#include <json-c/json.h>\n#include <event2/event.h>\n#include <libpq-fe.h>\n' >"$dir/base/a.c"
    printf '#include "io/db.h"\n#include <openssl/evp.h>\n#include "storage/blob.h"\n# include <libpq-fe.h>\n' >"$dir/core/a.h"
    printf '#include "core/a.h"\n' >"$dir/io/a.c"
    printf '#include "schema/statement.h"\n#include "a.h"\n' >"$dir/storage/a.c"
    printf '#include "cli/a.h"\nconst char *q = "SELECT 1";\n' >"$dir/annotate-server/api/a.c"
    printf '#include <event2/http.h>\n#include <curl/curl.h>\n#include <llhttp/llhttp.h>\n' >"$dir/annotate-server/api/b.c"
    printf '#include "workers/stream/a.h"\n#include "annotate-server/a.h"\n' >"$dir/workers/upkeep/a.c"
    printf 'q("INSERT INTO t VALUES (1)");\nq("UPDATE t SET x = 1");\nq("DELETE FROM t");\n' >"$dir/cli/a.c"
    want=$(cat "$dir"/*/*.[ch] "$dir"/*/*/*.[ch] | wc -l)
    printf '#include "workers/stream/a.h"\n#include "io/db.h"\n#include "core/a.h"\n#include <librdkafka/rdkafka.h>\n' \
        >"$dir/workers/stream/good.c"
    found=$(check_tree "$dir" | sort -u | wc -l)
    rm -rf "$dir"
    if [ "$found" -ne "$want" ]; then
        echo "includes.sh finds $found of $want planted offences" >&2
        exit 1
    fi
}

root=${1:-$(dirname "$0")/../..}
(self_test) || exit 1
offences=$(check_tree "$root") || exit 2
[ -z "$offences" ] && exit 0
echo "$offences"
exit 1
