# ONNX Runtime for the pre-label worker, loaded at run time. Sourced by ./run.

onnxruntime_get() {
    if fetch onnxruntime "ONNX Runtime from PyPI (once, 27 MB)"; then
        mirror "$fetched/onnxruntime" "$program/onnxruntime"
        setting_put ort_lib "$program/onnxruntime/libonnxruntime.so.1"
    elif ! onnxruntime_there; then
        say "ONNX Runtime cannot be had here: no pre-labels (see $fetched/onnxruntime.log)"
    fi
}

onnxruntime_there() { [ -n "$(setting ort_lib)" ]; }
