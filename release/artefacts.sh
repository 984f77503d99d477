#!/usr/bin/env bash
# The files of a release, from the commit that is checked out: its sources, a build for this machine's system, the bill
# of materials of that build, and SHA256SUMS over all of them. The same commit and packages give the same bytes.
#   release/artefacts.sh FOLDER      which must not exist; the bill needs Python's cyclonedx-python-lib[json-validation]
source "$(dirname "${BASH_SOURCE[0]}")/../cmake/bootstrap.sh"

[ $# -eq 1 ] || die "FOLDER is needed; see the head of release/artefacts.sh"
[ ! -e "$1" ] || die "$1 exists already"
[ -z "$(git -C "$root" status --porcelain)" ] || die "there are changes that are not committed"
python3 -c 'import cyclonedx' 2>/dev/null || die "install cyclonedx-python-lib[json-validation] for this python3"
mkdir -p "$1"
out=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'status=$?; rm -rf "$scratch"; exit "$status"' EXIT
umask 022
time=$(git -C "$root" log -1 --format=%ct)

build() {
  git clone -q "$root" "$scratch/clone"
  cmake -S "$scratch/clone" -B "$scratch/clone/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=ON \
    -DINTSAM_BUILD_TESTS=OFF >/dev/null
  cmake --build "$scratch/clone/build" --parallel "${INTSAM_BUILD_JOBS:-$jobs}" >/dev/null
}

# pack name folder: name.tar.gz of what is in the folder, without anything of this machine.
pack() {
  mv "$2" "$scratch/$1"
  tar -C "$scratch" --sort=name --mtime="@$time" --owner=0 --group=0 --numeric-owner --format=ustar -cf - "$1" |
    gzip -9n >"$out/$1.tar.gz"
}

collect() {
  local version name
  version=$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$scratch/clone/build/CMakeCache.txt")
  name=intsam-$version-$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)
  git -C "$root" archive --format=tar --prefix="intsam-$version/" HEAD | gzip -9n >"$out/intsam-$version.tar.gz"
  python3 "$scratch/clone/release/sbom.py" "$scratch/clone/build" >"$out/$name.cdx.json"
  DESTDIR=$scratch/installed cmake --install "$scratch/clone/build" --prefix / >/dev/null
  pack "$name" "$scratch/installed"
  (cd "$out" && sha256sum -- * >SHA256SUMS.part && mv SHA256SUMS.part SHA256SUMS && cat SHA256SUMS)
}

step "build" build
step "collect" collect
