# 32-bit ARM Linux (ARMv5TE) without a floating-point unit: cross compiler and emulator, nothing about the project. The
# emulated ARM946E has none either, so an instruction of such a unit ends the program.
set(CMAKE_SYSTEM_PROCESSOR armv5te)
set(triplet arm-linux-gnueabi)
set(qemu arm)
set(qemu_cpu arm946)
set(CMAKE_CXX_FLAGS_INIT -Wno-psabi)  # nothing here is linked to what GCC 6 compiled
include(${CMAKE_CURRENT_LIST_DIR}/linux-gnu.cmake)
