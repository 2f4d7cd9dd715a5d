# The release build, and its copy under var/program, which the service user can reach and a later build does not pull away
# from under a running process. Sourced by ./run.

# Quiet unless it fails: then the log is the message.
quietly() { # log, command...
    local log=$1
    shift
    "$@" >"$log" 2>&1 || {
        tail -n 60 "$log" >&2
        die "failed: $* (all of it: $log)"
    }
}

program_build() {
    install -d "$build"
    [ -f "$build/build.ninja" ] || quietly "$build/cmake.log" cmake -S "$root" -B "$build" -G Ninja
    quietly "$build/ninja.log" ninja -C "$build" annotate "${services[@]/#/annotate-}"
    web_build
}

# True when the front end is older than what it is made of.
web_is_old() {
    local web=$root/web-static
    [ ! -f "$web/dist/index.html" ] ||
        [ -n "$(find "$web" \( -name node_modules -o -name dist -o -name '.*' \) -prune -o \
            -type f -newer "$web/dist/index.html" -print -quit)" ]
}

web_build() {
    local web=$root/web-static
    web_is_old || return 0
    install -d "$build"
    [ "$web/node_modules/.package-lock.json" -nt "$web/package-lock.json" ] ||
        quietly "$build/npm.log" npm --prefix "$web" ci
    quietly "$build/web.log" npm --prefix "$web" run build
    touch "$web/dist/index.html"
}

# Makes `to` a copy of the directory `from`, in one step, if they differ.
mirror() {
    ! diff -rq "$1" "$2" >/dev/null 2>&1 || return 0
    rm -rf "$2.new"
    cp -r "$1" "$2.new"
    chmod -R go+rX "$2.new"
    rm -rf "$2"
    mv "$2.new" "$2"
}

program_install() {
    local name
    for name in annotate "${services[@]/#/annotate-}"; do
        install -C "$build/bin/$name" "$program/bin/$name"
    done
    mirror "$root/web-static/dist" "$program/web"
    mirror "$root/models" "$program/models"
}

# The command-line tool, as the service user.
annotate() { as_user "$program/bin/annotate" --config "$config" "$@"; }
