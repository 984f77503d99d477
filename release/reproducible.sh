#!/usr/bin/env bash
# Whether builds are reproducible: the commit that is checked out, cloned and built twice, in folders of different names
# and lengths, at different times, in different time zones and with different permissions for new files. Libraries and
# tools must be equal byte for byte, and so must the models that the two converters make.
#   release/reproducible.sh [-DNAME=VALUE...] [TARGET...]     without targets: everything but the tests
# Exit status 1 where something differs. Nothing is taken from a cache. INTSAM_BUILD_JOBS: compilers at a time.
source "$(dirname "${BASH_SOURCE[0]}")/../cmake/bootstrap.sh"
export CCACHE_DISABLE=1

options=()
targets=()
for argument in "$@"; do
  case $argument in
    -D*) options+=("$argument") ;;
    -*) die "unknown option: $argument; see the head of release/reproducible.sh" ;;
    *) targets+=("$argument") ;;
  esac
done
scratch=$(mktemp -d)
trap 'status=$?; rm -rf "$scratch"; exit "$status"' EXIT

# build_clone folder: what comes out is in build/bin and build/lib.
build_clone() {
  git clone -q "$root" "$1"
  cmake -S "$1" -B "$1/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DINTSAM_BUILD_TESTS=OFF \
    ${options[@]+"${options[@]}"} >/dev/null
  cmake --build "$1/build" --parallel "${INTSAM_BUILD_JOBS:-$jobs}" ${targets[@]+--target "${targets[@]}"} >/dev/null
  [ -x "$1/build/bin/intsam-convert" ] || return 0
  local name
  for name in sam_tiny sam_tiny_mobile; do
    # One thread: several add the floating-point numbers of the reference in another order.
    "$1/build/bin/intsam-convert" "$1/models/$name.safetensors" --calib "$1/models/photos" -t 1 -q \
      -o "$1/build/bin/$name.isam"
  done
}

# sums folder: of all that came out, by name.
sums() { (cd "$1/build" && find bin lib -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum); }

compare() {
  sums "$scratch/a" >"$scratch/sums"
  sums "$scratch/another/clone-of-it" >"$scratch/other_sums"
  cat "$scratch/sums"
  [ -s "$scratch/sums" ] || die "nothing was built"
  diff "$scratch/sums" "$scratch/other_sums" || die "the two builds differ"
  say "$(wc -l <"$scratch/sums") files, equal in both"
}

step "build one clone" build_clone "$scratch/a"
export TZ=Asia/Tokyo
umask 077
step "build another one" build_clone "$scratch/another/clone-of-it"
step "compare" compare
