// A library to be preloaded (LD_PRELOAD) into a tool: one of its allocations fails. Counting begins when the libraries
// of the process have been initialised, before the tool's own initialisers, and goes on until its destructors have run.
//   INTSAM_FAIL_ALLOCATION=N   number N, counted from 0, fails once
//   INTSAM_COUNT_FILE=FILE     how many there were is written to it at the end
// What oneDNN and OpenMP allocate for themselves does not count: they end the process where it fails, and nobody who
// calls them can do anything about it. GNU libc only.
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include <atomic>

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace {

std::atomic<bool> counting{false};
std::atomic<long> counted{0};
long failing = -1;

struct Range {
  std::uintptr_t begin, end;
};
Range spared[64];  // code of the libraries that are left out
int spared_ranges = 0;

// Whether the caller, who returns to `caller`, is to be told that there is no memory.
bool Fails(const void* caller) {
  if (!counting.load(std::memory_order_relaxed)) return false;
  const auto at = reinterpret_cast<std::uintptr_t>(caller);
  for (int i = 0; i < spared_ranges; ++i) {
    if (at >= spared[i].begin && at < spared[i].end) return false;
  }
  return counted.fetch_add(1) == failing;
}

void* OrNone(void* memory) {
  if (memory == nullptr) errno = ENOMEM;
  return memory;
}

void FindSparedLibraries() {
  std::FILE* maps = std::fopen("/proc/self/maps", "r");
  if (maps == nullptr) return;
  char line[1024];
  while (spared_ranges < 64 && std::fgets(line, sizeof line, maps) != nullptr) {
    if (std::strstr(line, "libdnnl") == nullptr && std::strstr(line, "libgomp") == nullptr) continue;
    unsigned long begin = 0, end = 0;
    if (std::sscanf(line, "%lx-%lx", &begin, &end) == 2) spared[spared_ranges++] = {begin, end};
  }
  std::fclose(maps);
}

[[gnu::constructor]] void Begin() {
  FindSparedLibraries();
  if (const char* number = std::getenv("INTSAM_FAIL_ALLOCATION")) failing = std::strtol(number, nullptr, 10);
  counting = true;
}

[[gnu::destructor]] void End() {
  counting = false;
  const char* path = std::getenv("INTSAM_COUNT_FILE");
  std::FILE* file = path == nullptr ? nullptr : std::fopen(path, "w");
  if (file == nullptr) return;
  std::fprintf(file, "%ld\n", counted.load());
  std::fclose(file);
}

void* New(std::size_t size, std::size_t alignment, const void* caller) {
  void* memory = Fails(caller)    ? nullptr
                 : alignment == 0 ? __libc_malloc(size == 0 ? 1 : size)
                                  : __libc_memalign(alignment, size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

#define INTSAM_CALLER __builtin_return_address(0)

#pragma GCC visibility push(default)  // in the place of the real ones
extern "C" {

void* malloc(std::size_t size) { return OrNone(Fails(INTSAM_CALLER) ? nullptr : __libc_malloc(size)); }
void* calloc(std::size_t count, std::size_t size) {
  return OrNone(Fails(INTSAM_CALLER) ? nullptr : __libc_calloc(count, size));
}
void* realloc(void* memory, std::size_t size) {
  return OrNone(Fails(INTSAM_CALLER) ? nullptr : __libc_realloc(memory, size));
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return OrNone(Fails(INTSAM_CALLER) ? nullptr : __libc_memalign(alignment, size));
}
void* memalign(std::size_t alignment, std::size_t size) {
  return OrNone(Fails(INTSAM_CALLER) ? nullptr : __libc_memalign(alignment, size));
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  void* made = Fails(INTSAM_CALLER) ? nullptr : __libc_memalign(alignment, size);
  if (made == nullptr) return ENOMEM;
  *memory = made;
  return 0;
}

}  // extern "C"
#pragma GCC visibility pop

// Those of libstdc++ would call the functions above, and then libstdc++ would be every caller.
void* operator new(std::size_t size) { return New(size, 0, INTSAM_CALLER); }
void* operator new[](std::size_t size) { return New(size, 0, INTSAM_CALLER); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return New(size, static_cast<std::size_t>(alignment), INTSAM_CALLER);
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return New(size, static_cast<std::size_t>(alignment), INTSAM_CALLER);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
