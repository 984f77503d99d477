#!/usr/bin/env bash
# The same mask on every target, CPU and kernel tier: converts the bundled models on this machine, segments one photo with
# the intsam-segment of every target, emulated, on every tier that its CPU has, and prints the SHA-256 of the masks' pixels
# as a table for each model. Then the stripped shared library of each target: its size, and what it needs. Fails unless all
# masks of a model are equal and the library for AArch64, with all its tiers, has at most 450 KiB.
#   tests/portability.sh [--update] [aarch64|armhf|armel|riscv64|wasm32]...
# --update puts the tables into docs/portability.md.
source "$(dirname "${BASH_SOURCE[0]}")/../cmake/bootstrap.sh"

update=
if [ "${1-}" = --update ]; then
  update=yes
  shift
fi
targets=("$@")
[ $# -gt 0 ] || targets=(aarch64 armhf armel riscv64 wasm32)
use_targets "${targets[@]}"
build_preset release intsam-convert intsam-segment intsam-inspect

scratch=build/portability
mkdir -p "$scratch"
models=(sam_tiny sam_tiny_mobile)
photo=models/photos/astronaut.png
prompt=(--box 150,10,300,190)
libraries=$scratch/libraries.md
most_bytes_of_aarch64=$((450 * 1024))

# tiers program...: the kernel tiers that the CPU of this intsam-inspect can run.
tiers() {
  "$@" --kernels --json | python3 -c 'import json, sys
print(*(row["tier"] for row in json.load(sys.stdin)["kernels"] if row["supported"]))'
}

# pixels_hash png: the SHA-256 of its pixels. The files differ where one tool has libpng and another has not.
pixels_hash() {
  python3 -B - "$1" <<'END'
import hashlib, sys
sys.path.insert(0, "tests/e2e")
from tools_support import decode_png
print(hashlib.sha256(decode_png(open(sys.argv[1], "rb").read())[3]).hexdigest())
END
}

# masks_of target cpu bin suffix emulator...: one row per model and tier.
masks_of() {
  local target=$1 cpu=$2 bin=$3 suffix=$4 model tier hash
  shift 4
  for model in "${models[@]}"; do
    for tier in $(tiers "$@" "$bin/intsam-inspect$suffix"); do
      rm -f "$scratch/mask.png"
      "$@" "$bin/intsam-segment$suffix" "$scratch/$model.isam" "$photo" "${prompt[@]}" --isa "$tier" --quiet \
        -o "$scratch/mask.png"
      hash=$(pixels_hash "$scratch/mask.png")
      say "$model: $target, $cpu, $tier: $hash"
      say "| $target | $cpu | $tier | \`$hash\` |" >>"$scratch/$model.md"
    done
  done
}

# library_of name preset: the shared library alone.
library_of() {
  local name=$1 preset=$2 build=build/$2/install_shared strip bytes needed
  cmake --preset "$preset" -B "$build" -DBUILD_SHARED_LIBS=ON -DINTSAM_BUILD_CONVERTER=OFF -DINTSAM_BUILD_APPS=OFF \
    -DINTSAM_BUILD_TESTS=OFF >/dev/null
  cmake --build "$build" --parallel "$jobs" >/dev/null
  strip=$(sed -n 's/^CMAKE_STRIP:FILEPATH=//p' "$build/CMakeCache.txt")
  "$strip" -o "$scratch/libintsam.so" "$build/lib/libintsam.so"
  bytes=$(stat -c %s "$scratch/libintsam.so")
  needed=$("${strip%strip}readelf" -d "$scratch/libintsam.so" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | paste -sd " ")
  say "| $name | $bytes | $needed |" | tee -a "$libraries"
  [ "$name" != aarch64 ] || [ "$bytes" -le "$most_bytes_of_aarch64" ] ||
    die "libintsam.so for aarch64 has $bytes bytes, more than $most_bytes_of_aarch64"
}

# rows_of target: its masks on each CPU that QEMU is told to play.
rows_of() {
  local target=$1 triplet cpus cpu qemu
  case $target in
    aarch64) triplet=aarch64-linux-gnu cpus="max cortex-a53 neoverse-n1" ;;
    armhf) triplet=arm-linux-gnueabihf cpus="max cortex-a7" ;;
    armel) triplet=arm-linux-gnueabi cpus="arm946" ;;
    riscv64) triplet=riscv64-linux-gnu cpus="rv64" ;;
    wasm32)
      masks_of wasm32 "Node.js $(node --version)" build/wasm32/bin .js node
      return
      ;;
  esac
  qemu=$(sed -n 's/^QEMU_USER:FILEPATH=//p' "build/$target/CMakeCache.txt")
  for cpu in $cpus; do
    masks_of "$target" "QEMU $cpu" "build/$target/bin" "" "$qemu" -L "/usr/$triplet" -cpu "$cpu"
  done
}

for model in "${models[@]}"; do
  step "convert models/$model.safetensors" build/release/bin/intsam-convert "models/$model.safetensors" \
    -o "$scratch/$model.isam" --calib models/photos --bits w8a8 --quiet
  printf '%s\n' "| target | CPU | tier | SHA-256 of the mask's pixels |" "|---|---|---|---|" >"$scratch/$model.md"
done
for target in "${targets[@]}"; do
  build_preset "$target" intsam-segment intsam-inspect
done

this=$(uname -m)
masks_of "$this" "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" build/release/bin "" env
for target in "${targets[@]}"; do
  rows_of "$target"
done
say
printf '%s\n' "| target | bytes of libintsam.so | needs |" "|---|---|---|" | tee "$libraries"
library_of "$this" release
for target in "${targets[@]}"; do
  [ "$target" = wasm32 ] || library_of "$target" "$target"
done

for model in "${models[@]}"; do
  distinct=$(sed -n 's/.*`\(.*\)`.*/\1/p' "$scratch/$model.md" | sort -u | wc -l)
  [ "$distinct" -eq 1 ] || die "$model: $distinct different masks"
done
if [ -n "$update" ]; then
  python3 - docs/portability.md "${models[@]/#/$scratch/}" "$libraries" <<'END'
import pathlib, re, sys
page, *tables = (pathlib.Path(name).with_suffix(".md") for name in sys.argv[1:])
text = page.read_text()
for table in tables:
    pattern = rf"(<!-- {table.stem} -->\n).*?(<!-- end -->)"
    text, count = re.subn(pattern, lambda match: match[1] + table.read_text() + match[2], text, flags=re.DOTALL)
    assert count == 1, f"{page}: no place for {table.stem}"
page.write_text(text)
END
fi
say "All masks of a model are equal."
