# 32-bit WebAssembly by Emscripten, run under Node.js: compiler and emulator, nothing about the project. Files are those
# of the machine (NODERAWFS). Threads are workers made at the start, because the main thread cannot wait for new ones.
find_program(EMCC emcc HINTS ENV EMSDK PATH_SUFFIXES upstream/emscripten)
if(NOT EMCC)
  message(FATAL_ERROR "emcc was not found. Install Emscripten (Debian, Ubuntu: emscripten).")
endif()
get_filename_component(emscripten ${EMCC} REALPATH)
get_filename_component(emscripten ${emscripten} DIRECTORY)
set(EMSCRIPTEN_SYSTEM_PROCESSOR wasm32)
set(CMAKE_CXX_FLAGS_INIT "-pthread -fexceptions")
set(CMAKE_C_FLAGS_INIT "-pthread -fexceptions")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-pthread -fexceptions -sNODERAWFS=1 -sEXIT_RUNTIME=1 -sALLOW_MEMORY_GROWTH=1 -sPTHREAD_POOL_SIZE=8")
include(${emscripten}/cmake/Modules/Platform/Emscripten.cmake)
find_program(CMAKE_OBJDUMP NAMES llvm-objdump llvm-objdump-19 llvm-objdump-18 llvm-objdump-17 llvm-objdump-16 llvm-objdump-15
             llvm-objdump-14)
