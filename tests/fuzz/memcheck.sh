#!/usr/bin/env bash
# The parsers under valgrind's memcheck, which also sees what depends on memory that nobody has written, in the decoders'
# libraries, too: every fuzz target over its seeds and seeded mutations of them, and the parsers' tests. Prints a line
# for each; exit status 1 at the first error.
#   tests/fuzz/memcheck.sh [--mutations N] [PROGRAM...]     300 mutations; for example tests/fuzz/memcheck.sh pickle_fuzz
# Left out is what runs models: vector kernels read padding behind their operands and take no notice of it, by masks and
# by products with zero, which memcheck cannot tell from use. Those run over memory with a pattern in it instead, in the
# test golden.perturbed and, on the stack, in the preset asan-ubsan.
source "$(dirname "${BASH_SOURCE[0]}")/../../cmake/bootstrap.sh"
source "$root/tests/fuzz/arguments.sh"

number=300
read_arguments --mutations '[0-9]+' "$@"
mutations=$number
programs=("${words[@]}")
if [ "${#programs[@]}" -eq 0 ]; then
  for target in "${fuzz_targets[@]}"; do
    [[ $target == @(api|isam_run) ]] || programs+=("${target}_fuzz")
  done
  programs+=(batch_test checkpoint_test common_test format_test import_test photo_test)
fi
required_packages+=" valgrind"
build_preset release "${programs[@]}"

# Tests of thousands of inputs each, which are what the mutations are; those that run models; and photos written by
# x265, which says nothing of where its bits come from.
left_out='*Sweep*:Truncation.*:*Every*:*Sealed*:*DecoderPartOf.Answers*:Ptq4SamIntegers.*:HeifFiles.*'
# The converter makes a model here: oneDNN's code for wider vectors reads past its own buffers.
export DNNL_MAX_CPU_ISA=SSE41

check() {
  local arguments=(--mutations "$mutations")
  [[ $1 == *_fuzz ]] || arguments=(--gtest_filter="-$left_out" --gtest_brief=1)
  valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
    "build/release/bin/$1" "${arguments[@]}"
}

for program in "${programs[@]}"; do step "memcheck $program" check "$program"; done
