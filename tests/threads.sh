#!/usr/bin/env bash
# What runs in several threads, under the thread sanitizer, in a few minutes: the pool, golden hashes on all tiers of
# this CPU with up to seven threads, the C API from many threads and everything mode; intsam-batch with sessions of
# several threads on one model; Python's threads, where pip gets packages. Neither the converter nor emulated
# tiers are built (preset threads). Exit status 1 at the first race. The whole suite: tests/run.sh --preset tsan
source "$(dirname "${BASH_SOURCE[0]}")/../cmake/bootstrap.sh"

export TSAN_OPTIONS=halt_on_error=1:exitcode=66
# TSan of GCC 12 does not cope with all addresses that newer kernels draw.
fixed=()
if setarch -R true 2>/dev/null; then fixed=(setarch -R); fi
bin=build/threads/bin
model=tests/golden/data/micro.isam

# The same files from one session at a time and from three, of two threads each.
batch() {
  local out=build/threads/batch options=(--auto --points-per-side 4 --format coco -q)
  rm -rf "$out"
  "${fixed[@]}" "$bin/intsam-batch" "$model" models/photos "${options[@]}" -j 1 -t 1 -o "$out/one"
  "${fixed[@]}" "$bin/intsam-batch" "$model" models/photos "${options[@]}" -j 3 -t 2 -o "$out/many"
  diff -r --exclude 'manifest*' "$out/one" "$out/many"
}

# A virtual environment with what builds the Python module and runs its tests.
venv=build/threads/venv
has_python() {
  python3 -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' ||
    return
  "$venv/bin/python" -c 'import cffi, numpy, pytest' 2>/dev/null && [ -x "$venv/bin/cmake" ] && return
  python3 -m venv --clear "$venv" >/dev/null &&
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check cffi numpy pytest 'cmake>=3.26'
}

# The module is linked with the library of this build. The interpreter is not instrumented.
python_threads() {
  local folder=build/threads/python version
  version=$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' build/threads/CMakeCache.txt)
  cmake --install build/threads --component devel --prefix build/threads/installed >/dev/null
  "$venv/bin/cmake" -S bindings/python -B "$folder" -G Ninja -DINTSAM_PYTHON_INSTALLED=ON \
    -DSKBUILD_PROJECT_VERSION="$version" -DCMAKE_PREFIX_PATH="$PWD/build/threads/installed" \
    -DPython_EXECUTABLE="$PWD/$venv/bin/python" -DCMAKE_C_FLAGS="-fsanitize=thread -g1" >/dev/null
  "$venv/bin/cmake" --build "$folder" >/dev/null
  rm -rf "$folder/intsam"
  cp -r bindings/python/intsam "$folder/intsam"
  cp "$folder"/_intsam*.so "$folder/intsam/"
  "${fixed[@]}" env LD_PRELOAD="$(gcc -print-file-name=libtsan.so)" PYTHONPATH="$PWD/$folder" "$venv/bin/python" -B \
    -m pytest -q -p no:cacheprovider bindings/python/tests/test_session.py bindings/python/tests/test_bad_input.py \
    -k "threads and not options"
}

build_preset threads intsam unit_test golden_test api_test intsam-batch
step "pool" "${fixed[@]}" "$bin/unit_test" --gtest_brief=1 --gtest_filter='ThreadPool.*'
step "golden hashes" "${fixed[@]}" "$bin/golden_test" --gtest_brief=1
step "C API, everything mode" "${fixed[@]}" "$bin/api_test" --gtest_brief=1
step "intsam-batch" batch
if has_python; then
  step "Python" python_threads
else
  say "no headers of Python, or no environment with cffi, NumPy, pytest, CMake 3.26: its threads are not tested"
fi
