# 32-bit ARM Linux (ARMv7), hard-float ABI: cross compiler and emulator, nothing about the project.
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(triplet arm-linux-gnueabihf)
set(qemu arm)
set(CMAKE_CXX_FLAGS_INIT -Wno-psabi)  # nothing here is linked to what GCC 6 compiled
include(${CMAKE_CURRENT_LIST_DIR}/linux-gnu.cmake)
