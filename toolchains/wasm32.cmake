# 32-bit WebAssembly by Emscripten, run under Node.js: compiler and emulator, nothing about the project.
find_program(EMCC emcc HINTS ENV EMSDK PATH_SUFFIXES upstream/emscripten)
if(NOT EMCC)
  message(FATAL_ERROR "emcc was not found. Install Emscripten (Debian, Ubuntu: emscripten).")
endif()
get_filename_component(emscripten ${EMCC} REALPATH)
get_filename_component(emscripten ${emscripten} DIRECTORY)
set(EMSCRIPTEN_SYSTEM_PROCESSOR wasm32)
set(CMAKE_C_FLAGS_INIT "-pthread -fexceptions")
set(CMAKE_CXX_FLAGS_INIT "-pthread -fexceptions")
# Files are those of the machine (NODERAWFS). Threads are workers that must exist before main(), which cannot wait for
# new ones: beyond sixteen, making a thread fails. SINGLE_FILE: Emscripten 3.1.6 cannot load a module that lies beside
# its program in Node.js 18 and newer. -O1 and --minify 0 are for the JavaScript alone; more needs a package (acorn) that
# Node.js may not find.
string(CONCAT CMAKE_EXE_LINKER_FLAGS_INIT
  "-pthread -fexceptions -O1 --minify 0 -sSINGLE_FILE=1 -sNODERAWFS=1 -sEXIT_RUNTIME=1 "
  "-sINITIAL_MEMORY=1024MB -sPTHREAD_POOL_SIZE=16 -sPTHREAD_POOL_SIZE_STRICT=2 "
  "--pre-js ${CMAKE_CURRENT_LIST_DIR}/wasm32_environment.js")
include(${emscripten}/cmake/Modules/Platform/Emscripten.cmake)
find_program(CMAKE_OBJDUMP NAMES llvm-objdump llvm-objdump-19 llvm-objdump-18 llvm-objdump-17 llvm-objdump-16
             llvm-objdump-15 llvm-objdump-14)
