# Processes with a pid file each, and our five programs on top of them. Sourced by ./run.

# True when `pid` lives and has `mark` as a word of its command line. A pid file may outlive its process, and the number
# be another's by now; a mark is a path of this installation: the program, or the settings that it was given.
process_is() { [[ ${1:-} =~ ^[0-9]+$ ]] && grep -qzxF -e "$2" "/proc/$1/cmdline" 2>/dev/null; }

process_pid() { as_user cat "$var/run/$1.pid" 2>/dev/null; }

process_alive() { process_is "$(process_pid "$1")" "$2"; } # name, mark

# The program under a keeper, which starts it again when it dies (keep.sh). PostgreSQL has its own and is not one of these.
process_spawn() { # name, mark, command...
    local name=$1 mark=$2
    shift 2
    as_user setsid --fork bash -c "$(cat "$root/deploy/run/keep.sh")" keep \
        "$var/run/$name" "$var/log/$name.log" "$@" </dev/null >/dev/null 2>&1 9>&-
    wait_for 5 process_alive "$name" "$mark" || true
}

# From here on nobody starts it again. A pause of the keeper's ends with it.
keeper_stop() { # name
    local pid
    pid=$(as_user cat "$var/run/$1.keeper" 2>/dev/null) || return 0
    ! process_is "$pid" "$var/run/$1" || as_user kill "$pid" 2>/dev/null || true
}

wait_for() { # seconds, command...
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.05
    done
}

# TERM, and KILL for what has not gone in time.
process_stop() { # name, mark, seconds
    local pid
    keeper_stop "$1"
    pid=$(process_pid "$1") || return 0
    if process_is "$pid" "$2"; then
        as_user kill "$pid" 2>/dev/null || true
        wait_for "$3" process_gone "$pid" "$2" || {
            say "$1 did not stop in $3 s: killed"
            as_user kill -9 "$pid" 2>/dev/null || true
            wait_for 5 process_gone "$pid" "$2" || die "$1 ($pid) does not die"
        }
    fi
    as_user rm -f "$var/run/$1.pid"
}

process_gone() { ! process_is "$@"; }

# ---- our programs ----

services=(server stream upkeep export prelabel)

# Those that can run here.
services_wanted() {
    printf '%s\n' server stream upkeep export
    ! onnxruntime_there || echo prelabel
}

service_program() { printf '%s/bin/annotate-%s' "$program" "$1"; }

# Running, with the program and the settings that are there now.
service_current() {
    local pid_file=$var/run/$1.pid
    process_alive "$1" "$(service_program "$1")" &&
        ! [ "$(service_program "$1")" -nt "$pid_file" ] && ! [ "$config" -nt "$pid_file" ]
}

service_start() {
    ! service_current "$1" || return 0
    process_stop "$1" "$(service_program "$1")" 20
    process_spawn "$1" "$(service_program "$1")" "$(service_program "$1")" --config "$config"
    started+=("$1")
}

service_failed() { # name, why
    tail -n 5 "$var/log/$1.log" >&2 || true
    die "annotate-$1 $2; see $var/log/$1.log"
}

# Two servers of one user could share a port (SO_REUSEPORT), and each would get some of the other's requests.
port_must_be_free() { ! port_open "$1" || die "somebody listens on port $1 already; ./run --port N takes another"; }

server_ready() { curl -fsS -m 2 -o /dev/null "$(server_address)/readyz" 2>/dev/null; }

services_start() {
    local name started=()
    process_alive server "$(service_program server)" || port_must_be_free "$(setting listen | sed 's/.*://')"
    service_start server
    wait_for 20 server_ready || service_failed server "does not answer at $(server_address)/readyz"
    for name in $(services_wanted); do service_start "$name"; done
    # A program that cannot run says so and leaves at once.
    [ ${#started[@]} -eq 0 ] || sleep 0.5
    for name in $(services_wanted); do
        process_alive "$name" "$(service_program "$name")" || service_failed "$name" "does not stay up"
    done
}

# The takers of work first, then what they talk to.
services_stop() {
    local name
    for name in prelabel export stream upkeep server; do
        process_stop "$name" "$(service_program "$name")" 20
    done
}

status_line() { # name, mark
    if process_alive "$1" "$2"; then
        printf '%-10s running, process %s\n' "$1" "$(process_pid "$1")"
    else
        printf '%-10s stopped\n' "$1"
    fi
}

# Exit status 0 when all that should run does.
services_status() {
    local name lines
    lines=$(
        if database_running; then printf '%-10s running\n' postgres; else printf '%-10s stopped\n' postgres; fi
        ! kafka_ours || status_line kafka "$(kafka_mark)"
        for name in $(services_wanted); do status_line "$name" "$(service_program "$name")"; done
    )
    say "$lines"
    ! grep -q ' stopped$' <<<"$lines" || return 1
    server_ready || { say "the server does not answer"; return 1; }
}

services_logs() {
    [ $# -eq 0 ] || [ -f "$var/log/$1.log" ] || die "there is no log of \"$1\""
    as_user sh -c 'cd "$1" && exec tail -n 20 -F ${2:-*}' sh "$var/log" ${1:+"$1.log"}
}

summary() {
    local sink
    sink=$(setting sink)
    say "Annotate runs at $(server_address)"
    case $sink in
    kafka:*) say "events go to Kafka at ${sink#kafka:}" ;;
    *) say "events go to files under ${sink#file:}, not to Kafka (./run --kafka local or HOST:PORT changes that)" ;;
    esac
    accounts_print
}
