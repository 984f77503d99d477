#!/usr/bin/env bash
# Every fuzz target under libFuzzer with clang's sanitizers (preset fuzz), so many executions each, from seeds made by
# code. Prints a line for each; exit status 1 at the first finding, whose input is left in build/fuzz/findings.
#   tests/fuzz/run.sh [--executions N] [TARGET...]         1000000 executions; for example tests/fuzz/run.sh pickle rle
# Coverage is what clang's libFuzzer reports: edges of the instrumented code that the inputs reached. For lines of the
# parsers, see tests/fuzz/coverage.sh.
source "$(dirname "${BASH_SOURCE[0]}")/../../cmake/bootstrap.sh"
source "$root/tests/fuzz/arguments.sh"

number=1000000
read_arguments --executions '[1-9][0-9]*' "$@"
executions=$number
targets=("${words[@]}")
[ "${#targets[@]}" -gt 0 ] || targets=("${fuzz_targets[@]}")
for target in "${targets[@]}"; do
  [[ " ${fuzz_targets[*]} " == *" $target "* ]] || die "unknown target: $target (${fuzz_targets[*]})"
done

programs=()
for target in "${targets[@]}"; do programs+=("${target}_fuzz" "${target}_libfuzzer"); done
build_preset fuzz "${programs[@]}"

# run_target name: what one input may take is the bar of docs/reliability.md.
run_target() {
  local corpus=build/fuzz/corpus/$1 log=build/fuzz/$1.log
  rm -rf "$corpus"
  mkdir -p "$corpus" build/fuzz/findings
  "build/fuzz/bin/$1_fuzz" --seeds "$corpus"
  "build/fuzz/bin/$1_libfuzzer" "$corpus" -runs="$executions" -rss_limit_mb="$(memory_of "$1")" -timeout=5 -seed=1 \
    -entropic="$(entropic_of "$1")" -artifact_prefix="build/fuzz/findings/$1-" -print_final_stats=1 >"$log" 2>&1 || {
    tail -n 40 "$log"
    die "$1: a finding, see build/fuzz/findings and $log"
  }
}
# Pictures are decoded by libraries that may take what docs/photos.md says.
memory_of() { [ "$1" = image_decode ] && echo 2048 || echo 512; }
# Choosing inputs by their rare edges takes a third of a run of a model, whose edges say little of its values.
entropic_of() { [ "$1" = isam_run ] && echo 0 || echo 1; }

# field name file: the last value of libFuzzer's log.
last_coverage() { grep -oE ' cov: [0-9]+' "$1" | tail -n 1 | grep -oE '[0-9]+'; }
stat_of() { grep -oE "stat::$1:[[:space:]]+[0-9]+" "$2" | grep -oE '[0-9]+$'; }

lines=()
for target in "${targets[@]}"; do
  step "fuzz $target" run_target "$target"
  log=build/fuzz/$target.log
  lines+=("$(printf '%-14s %9s executions, %7s a second, %6s edges, %5s MiB' "$target" \
    "$(stat_of number_of_executed_units "$log")" "$(stat_of average_exec_per_sec "$log")" "$(last_coverage "$log")" \
    "$(stat_of peak_rss_mb "$log")")")
done
printf '%s\n' "${lines[@]}"
