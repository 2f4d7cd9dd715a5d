# Debian packages, installed only when missing. Sourced by ./run and ./check.

build_packages=(
    gcc cmake ninja-build pkg-config libc6-dev ca-certificates curl util-linux
    libevent-dev libpq-dev libjson-c-dev libjwt-dev librdkafka-dev libcurl4-openssl-dev libxml2-dev libarchive-dev
    libpng-dev libturbojpeg0-dev libssl-dev libcrypt-dev libseccomp-dev zlib1g-dev node-llhttp
    postgresql-15 python3 python3-pip
)
# A Node.js from elsewhere brings its own npm, and Debian's would conflict with it.
command -v npm >/dev/null || build_packages+=(nodejs npm)
kafka_packages=(openjdk-17-jre-headless maven)
demo_packages=(dataset-fashion-mnist)
test_packages=(clang libclang-rt-dev python3-venv chromium openssl zstd)

# Those of the arguments that are not installed.
packages_missing() {
    local have
    have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p') || true
    comm -23 <(printf '%s\n' "$@" | sort -u) <(sort -u <<<"$have")
}

# Root runs it, anyone else asks sudo.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

packages_install() {
    local no_cluster=/etc/postgresql-common/createcluster.d/annotate.conf
    printf 'installing: %s\n' "$*"
    # Debian's package would start a server on port 5432 that nobody asked for.
    as_root mkdir -p "${no_cluster%/*}" &&
        as_root sh -c "echo 'create_main_cluster = false' >$no_cluster" &&
        as_root apt-get -q update &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "$@" &&
        as_root rm -f "$no_cluster"
}

# Makes sure of them, or fails. Elsewhere than on Debian they are yours to provide.
packages_need() {
    local missing
    command -v dpkg-query >/dev/null || return 0
    mapfile -t missing < <(packages_missing "$@")
    [ ${#missing[@]} -eq 0 ] || packages_install "${missing[@]}" >&2
}
