#!/usr/bin/env bash
# clang-tidy over every source that the release preset compiles, or over those whose path matches, with the checks of
# .clang-tidy; exit status 1 where one of them finds something. Ten minutes to two hours, so it is no part of .ci/run.
#   tests/tidy.sh [REGULAR EXPRESSION]        for example tests/tidy.sh converter/
# The newest clang-tidy of the PATH is taken; CLANG_TIDY names another one. Findings differ between versions: the sources
# are clean with version 23 (pip install clang-tidy==23.1.4), which takes a fifth of the time of version 19.
source "$(dirname "${BASH_SOURCE[0]}")/../cmake/bootstrap.sh"

newest() { compgen -c clang-tidy | grep -E '^clang-tidy(-[0-9]+)?$' | sort -Vu | tail -n 1; }
tidy=${CLANG_TIDY:-$(newest)}
[ -n "$tidy" ] || die "there is no clang-tidy here: pip install clang-tidy==23.1.4"
cd "$root"
step "install what is missing" install_packages
step "configure (tidy)" cmake -S . -B build/tidy -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_EXPORT_COMPILE_COMMANDS=ON ${configure_options[@]+"${configure_options[@]}"}

# GCC's omp.h, which clang looks for in a package of its own. Last in the search, because GCC's folder also has GCC's
# intrinsics.
openmp=$(dirname "$(c++ -print-file-name=include/omp.h)")
python3 - "${1-}" >build/tidy/sources <<'PYTHON'
import json, re, sys
sources = sorted({entry["file"] for entry in json.load(open("build/tidy/compile_commands.json"))})
print("\n".join(source for source in sources if re.search(sys.argv[1], source)))
PYTHON
[ -s build/tidy/sources ] || die "no source matches"
say "$tidy: $(grep -c . build/tidy/sources) sources"
# The C header is C, also where C++ includes it.
options=()
[[ $("$tidy" --help) != *--exclude-header-filter* ]] || options=(--exclude-header-filter='/intsam/intsam[.]h$')
xargs -P "$jobs" -n 1 "$tidy" -p build/tidy --quiet ${options[@]+"${options[@]}"} --extra-arg=-idirafter"$openmp" <build/tidy/sources
