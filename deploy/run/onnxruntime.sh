# ONNX Runtime for the pre-label worker: the shared library out of the PyPI wheel, loaded at run time. Sourced by ./run.

onnxruntime_get() {
    local lib=$var/program/onnxruntime/libonnxruntime.so.1 wheel=$var/program/onnxruntime.new
    if [ ! -f "$lib" ]; then
        say "fetching ONNX Runtime from PyPI (once, 27 MB)"
        rm -rf "$wheel"
        install -d "$wheel" "${lib%/*}"
        python3 -m pip download -q --no-deps --only-binary=:all: --python-version 3.11 --require-hashes \
            -r "$root/deploy/run/onnxruntime.txt" -d "$wheel" >"$build/onnxruntime.log" 2>&1 || {
            say "ONNX Runtime cannot be had here: no pre-labels (see $build/onnxruntime.log)"
            return 0
        }
        python3 - "$wheel"/*.whl "$lib" <<'PYTHON'
import glob, os, sys, zipfile
wheel, lib = sys.argv[1:]
with zipfile.ZipFile(wheel) as z:
    member, = (n for n in z.namelist() if n.startswith("onnxruntime/capi/libonnxruntime.so."))
    with open(lib + ".new", "wb") as out:
        out.write(z.read(member))
os.chmod(lib + ".new", 0o644)
os.rename(lib + ".new", lib)
PYTHON
        rm -rf "$wheel"
    fi
    setting_put ort_lib "$lib"
}

onnxruntime_there() { [ -n "$(setting ort_lib)" ]; }
