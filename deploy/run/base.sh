# Where things lie, as whom they run, and the words the other parts use. Sourced by ./run.

say() { printf '%s\n' "$*"; }
die() {
    printf 'run: %s\n' "$*" >&2
    exit 1
}

# The tests run a second installation beside yours, of their own build.
var_link=${ANNOTATE_VAR:-$root/var}
build=${ANNOTATE_BUILD:-$root/build/release}

# Services never run as root: root makes a system user for them.
user=$(id -un)
[ "$user" != root ] || user=annotate

# Runs a command as that user, with nothing of our environment: settings come from var/annotate.conf alone.
as_user() {
    local clean=(env -i PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 "HOME=$var" "$@")
    if [ "$(id -un)" = "$user" ]; then
        "${clean[@]}"
    else
        setpriv --reuid="$user" --regid="$user" --init-groups --no-new-privs "${clean[@]}"
    fi
}

# Sets $var to what the last ./run made; fails when there is nothing.
layout_find() {
    [ -d "$var_link" ] || return 1
    var=$(cd "$var_link" && pwd -P)
    program=$var/program secrets=$var/secrets config=$var/annotate.conf
    cd "$var"
}

# The service user must reach its files: below /root, say, it does not, and var becomes a link to /var/lib.
make_var() {
    local digest
    [ ! -d "$var_link" ] || return 0
    if [ "$(id -un)" = "$user" ] || setpriv --reuid="$user" --regid="$user" --clear-groups test -x "$root"; then
        install -d "$var_link"
    else
        digest=$(printf '%s' "$root" | sha256sum | cut -c1-12)
        install -d /var/lib/annotate "/var/lib/annotate/$digest"
        ln -sfn "/var/lib/annotate/$digest" "$var_link"
    fi
}

layout_make() {
    [ "$user" != annotate ] || id annotate >/dev/null 2>&1 ||
        useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin annotate
    make_var
    layout_find
    install -d "$program/bin"
    # The directory itself stays ours, so that nothing the services own can replace the program or the settings.
    local d
    for d in secrets run log blobs stream kafka pg-run; do
        [ -d "$var/$d" ] || install -d -m 700 -o "$user" "$var/$d"
    done
}

# One ./run at a time. The lock is fd 9; services must not inherit it.
lock() {
    exec 9>"$var/lock"
    flock -n 9 || die "another ./run is at work in $root"
}

unlock() { exec 9>&-; }

# ---- var/annotate.conf: `name = value` rows of base/config.def ----

setting() { sed -n "s/^$1 = //p" "$config"; }

setting_put() { # name, value
    [ "$(setting "$1")" != "$2" ] || return 0
    { grep -v "^$1 = " "$config" || true; printf '%s = %s\n' "$1" "$2"; } >"$config.new"
    mv "$config.new" "$config"
}

settings_make() {
    [ ! -f "$config" ] || return 0
    cat >"$config.new" <<CONF
# The settings of all programs of this installation (annotate-server --help lists them). ./run starts again what a change concerns.
listen = 127.0.0.1:8080
server = http://127.0.0.1:8080
db = host=$(database_socket) dbname=annotate user=annotate_api
db_worker = host=$(database_socket) dbname=annotate user=annotate_worker
db_owner = host=$(database_socket) dbname=annotate user=annotate_owner
blobs = fs:$var/blobs
token_key_file = $secrets/token.key
token_file = $secrets/model.token
web_root = $program/web
models = $program/models
CONF
    mv "$config.new" "$config"
}

settings_port() {
    [ "$(setting listen)" != "127.0.0.1:$1" ] || return 0
    port_must_be_free "$1"
    setting_put listen "127.0.0.1:$1"
    setting_put server "http://127.0.0.1:$1"
}

server_address() { setting server; }
