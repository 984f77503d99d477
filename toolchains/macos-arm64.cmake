# macOS on 64-bit ARM, on any Mac. Not tested: no Mac takes part in our tests.
set(CMAKE_OSX_ARCHITECTURES arm64)
set(CMAKE_OSX_DEPLOYMENT_TARGET 11.0 CACHE STRING "Oldest macOS")
