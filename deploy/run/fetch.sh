# What no Debian package brings, fetched once into build/fetched: the jars of Apache Kafka (Maven Central) and the library
# of ONNX Runtime (PyPI). Both fail without harm where the registries cannot be reached. Sourced by ./run and ./check.

fetched=$root/build/fetched

# The directory of the jars is $fetched/kafka.
fetch_kafka() {
    packages_need "${kafka_packages[@]}" || return 1
    [ ! -d "$fetched/kafka" ] || return 0
    rm -rf "$fetched/kafka.new" &&
        mvn -B -q -f "$root/deploy/kafka/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
            -DoutputDirectory="$fetched/kafka.new" &&
        mv "$fetched/kafka.new" "$fetched/kafka"
}

# The library is $fetched/onnxruntime/libonnxruntime.so.1, the one file of the wheel that is used.
fetch_onnxruntime() {
    local new=$fetched/onnxruntime.new
    [ ! -d "$fetched/onnxruntime" ] || return 0
    rm -rf "$new" && mkdir -p "$new" &&
        python3 -m pip download -q --no-deps --only-binary=:all: --python-version 3.11 --require-hashes \
            -r "$root/deploy/run/onnxruntime.txt" -d "$new" &&
        python3 - "$new"/*.whl "$new/libonnxruntime.so.1" <<'PYTHON' &&
import sys, zipfile
wheel, lib = sys.argv[1:]
with zipfile.ZipFile(wheel) as z, open(lib, "wb") as out:
    member, = (n for n in z.namelist() if n.startswith("onnxruntime/capi/libonnxruntime.so."))
    out.write(z.read(member))
PYTHON
        rm "$new"/*.whl && mv "$new" "$fetched/onnxruntime"
}

# Runs one of them; true when its thing is there. The first time it says what it does.
fetch() { # kafka|onnxruntime, from where
    [ -d "$fetched/$1" ] || printf 'fetching %s\n' "$2" >&2
    mkdir -p "$fetched"
    "fetch_$1" >"$fetched/$1.log" 2>&1
}
