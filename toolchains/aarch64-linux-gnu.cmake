# 64-bit ARM Linux: cross compiler and emulator, nothing about the project.
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(triplet aarch64-linux-gnu)
set(qemu aarch64)
include(${CMAKE_CURRENT_LIST_DIR}/linux-gnu.cmake)
