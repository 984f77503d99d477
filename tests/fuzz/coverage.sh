#!/usr/bin/env bash
# Which lines of the parsers the fuzz targets reach: the seeds, the corpora that tests/fuzz/run.sh has left in
# build/fuzz/corpus, and seeded mutations, in programs that count (preset coverage, clang). Prints for each file the
# share of its lines and those that nothing reached.
#   tests/fuzz/coverage.sh [--mutations N] [TARGET...]      20000 mutations for each target
source "$(dirname "${BASH_SOURCE[0]}")/../../cmake/bootstrap.sh"
source "$root/tests/fuzz/arguments.sh"

number=20000
read_arguments --mutations '[0-9]+' "$@"
mutations=$number
targets=("${words[@]}")

# The files that each target is about.
declare -A parsers=(
  [api]="runtime/api/everything.cc runtime/api/mask.cc runtime/api/model.cc runtime/api/session.cc"
  [checkpoint]="converter/checkpoint/checkpoint.cc converter/checkpoint/foreign_formats.cc
    converter/checkpoint/tensor_view.cc converter/import/ptq4sam_metadata.cc"
  [coco_json]="apps/common/coco.cc"
  [config_json]="converter/checkpoint/sidecar.cc"
  [embedding]="runtime/exec/embedding_file.cc"
  [image_decode]="apps/common/photo/exif.cc apps/common/photo/heif.cc apps/common/photo/jpeg.cc
    apps/common/photo/jpeg_container.cc apps/common/photo/photo_format.cc apps/common/photo/photo_limits.cc
    apps/common/photo/pixel_sink.cc apps/common/photo/png.cc apps/common/photo/png_container.cc
    apps/common/photo/tiff.cc apps/common/photo/webp.cc"
  [isam_fields]="runtime/format/reader.cc runtime/format/value_range.cc"
  [isam_open]="runtime/format/reader.cc runtime/format/model.cc"
  [isam_run]="runtime/format/proof.cc"
  [logits_npy]="apps/common/logits_npy.cc"
  [pickle]="converter/checkpoint/pickle.cc converter/checkpoint/pickle_document.cc
    converter/checkpoint/pickle_records.cc"
  [prompt_json]="apps/common/prompt_json.cc apps/common/strict_json.cc"
  [rle]="runtime/image/run_lengths.cc"
  [safetensors]="converter/checkpoint/safetensors.cc converter/checkpoint/tensor_view.cc"
  [zip_directory]="converter/checkpoint/torch_file.cc converter/checkpoint/zip_directory.cc"
)
[ "${#targets[@]}" -gt 0 ] || targets=("${fuzz_targets[@]}")
programs=()
for target in "${targets[@]}"; do
  [ -n "${parsers[$target]-}" ] || die "unknown target: $target"
  programs+=("${target}_fuzz")
done

required_packages+=" llvm"
build_preset coverage "${programs[@]}"
version=$(clang -dumpversion)
profdata=$(command -v "llvm-profdata-${version%%.*}" || command -v llvm-profdata)
cov=$(command -v "llvm-cov-${version%%.*}" || command -v llvm-cov)
folder=build/coverage/profiles
rm -rf "$folder"
mkdir -p "$folder"

replay() {
  local program=build/coverage/bin/$1_fuzz
  LLVM_PROFILE_FILE=$folder/$1-mutations.profraw "$program" --mutations "$mutations" >/dev/null
  [ ! -d "build/fuzz/corpus/$1" ] || find "build/fuzz/corpus/$1" -type f -print0 |
    LLVM_PROFILE_FILE=$folder/$1-%p.profraw xargs -0 -r "$program" >/dev/null
}

# summarize file...: of the report in lcov's form a line for each of the files, with the ranges of lines that nothing
# reached.
summarize() {
  awk -F '[:,]' -v root="$root/" -v files=" $* " '
    function gap() { if (first) gaps = gaps " " (first == last ? first : first "-" last); first = 0 }
    /^SF:/ {
      name = $2
      if (index(name, root) == 1) name = substr(name, length(root) + 1)
      sub(/^.*\/\.\.\//, "", name)  # ccache hands relative paths to the compiler
      lines = hit = first = 0; gaps = ""
      wanted = index(files, " " name " ") > 0
    }
    !wanted { next }
    /^DA:/ { ++lines; if ($3 > 0) { ++hit; gap() } else { if (!first) first = $2; last = $2 } }
    /^end_of_record/ {
      gap(); all += lines; all_hit += hit
      printf "%-44s %5d lines %6.1f %%%s\n", name, lines, 100 * hit / lines, gaps == "" ? "" : ", not" gaps
    }
    END { printf "%-44s %5d lines %6.1f %%\n", "all", all, 100 * all_hit / all }'
}

report() {
  local objects=() files=() target
  for target in "${targets[@]}"; do
    [ "${#objects[@]}" -eq 0 ] || objects+=(-object)
    objects+=("build/coverage/bin/${target}_fuzz")
    files+=(${parsers[$target]})
  done
  "$profdata" merge -sparse "$folder"/*.profraw -o "$folder/all.profdata"
  "$cov" export -format=lcov -instr-profile="$folder/all.profdata" "${objects[@]}" | summarize "${files[@]}"
}

for target in "${targets[@]}"; do step "replay $target" replay "$target"; done
report
