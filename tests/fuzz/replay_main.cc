// A main for the fuzz targets where no fuzzing compiler is at hand: replays the files named as arguments, or, with
// "--mutations N [SEED]", feeds N seeded random mutations of the target's own seeds to it. A finding is a crash.
// "--seeds FOLDER" writes the seeds as files, for libFuzzer.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz_target.h"

namespace {

uint64_t Next(uint64_t* state) {  // SplitMix64
  *state += 0x9e3779b97f4a7c15u;
  uint64_t z = *state;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

// One small change: a byte, a bit, a wide field at an extreme, or a piece removed, repeated or moved.
void Mutate(std::string* input, uint64_t* random) {
  if (input->empty()) input->assign(1, '\0');
  const size_t at = Next(random) % input->size();
  const size_t length = 1 + Next(random) % std::min<size_t>(input->size() - at, 32);
  switch (Next(random) % 7) {
    case 0: (*input)[at] = static_cast<char>(Next(random)); break;
    case 1: (*input)[at] = static_cast<char>((*input)[at] ^ (1 << Next(random) % 8)); break;
    case 2:
      input->replace(at, std::min<size_t>(length, 8),
                     std::string(std::min<size_t>(length, 8), Next(random) % 2 ? '\xff' : '\0'));
      break;
    case 3: input->erase(at, length); break;
    case 4: input->insert(at, input->substr(at, length)); break;
    case 5: input->insert(Next(random) % input->size(), input->substr(at, length)); break;
    default: (*input)[at] = static_cast<char>((*input)[at] + (Next(random) % 2 ? 1 : -1));
  }
}

void Run(const std::string& input) {
  // An exact copy on the heap, so that a read past its end is seen by the sanitizers.
  const std::vector<uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc >= 3 && std::strcmp(argv[1], "--mutations") == 0) {
    const uint64_t count = std::strtoull(argv[2], nullptr, 10);
    uint64_t random = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1;
    const std::vector<std::string> seeds = intsam::internal::testing::FuzzSeeds();
    for (const std::string& seed : seeds) Run(seed);
    for (uint64_t i = 0; i < count; ++i) {
      std::string input = seeds[Next(&random) % seeds.size()];
      for (uint64_t changes = 1 + Next(&random) % 4; changes > 0; --changes) Mutate(&input, &random);
      Run(input);
    }
    std::printf("%zu seeds, %llu mutations\n", seeds.size(), static_cast<unsigned long long>(count));
    return 0;
  }
  if (argc == 3 && std::strcmp(argv[1], "--seeds") == 0) {
    size_t number = 0;
    for (const std::string& seed : intsam::internal::testing::FuzzSeeds()) {
      const std::string path = std::string(argv[2]) + "/seed_" + std::to_string(number++);
      if (!(std::ofstream(path, std::ios::binary) << seed << std::flush)) {
        std::fprintf(stderr, "%s: cannot write\n", path.c_str());
        return 3;
      }
    }
    return 0;
  }
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "%s: cannot read\n", argv[i]);
      return 3;
    }
    Run(std::string(std::istreambuf_iterator<char>(file), {}));
  }
  return 0;
}
