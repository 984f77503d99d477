# iOS, 64-bit ARM, by the Xcode of a Mac. Not tested: no Mac takes part in our tests.
set(CMAKE_SYSTEM_NAME iOS)
set(CMAKE_OSX_SYSROOT iphoneos)
set(CMAKE_OSX_ARCHITECTURES arm64)
set(CMAKE_OSX_DEPLOYMENT_TARGET 13.0 CACHE STRING "Oldest iOS")
