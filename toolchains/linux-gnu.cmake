# Common to the cross toolchains of Debian and Ubuntu: <triplet>-g++ and QEMU's user emulation. Included by the file of a
# target after it has set `triplet`, `qemu` (QEMU's name of the architecture) and, where it matters, `qemu_cpu`.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_C_COMPILER ${triplet}-gcc)
set(CMAKE_CXX_COMPILER ${triplet}-g++)
set(CMAKE_FIND_ROOT_PATH /usr/${triplet})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# The package qemu-user-static names it with the suffix, qemu-user without. Without either, programs of the target are
# started as they are, for kernels that know the emulator (binfmt) or are of the same family.
find_program(QEMU_USER NAMES qemu-${qemu}-static qemu-${qemu})
if(QEMU_USER)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${QEMU_USER} -L /usr/${triplet})
  if(qemu_cpu)
    list(APPEND CMAKE_CROSSCOMPILING_EMULATOR -cpu ${qemu_cpu})
  endif()
endif()
