# Installing libintsam: the library, the C and C++ headers, a CMake package (find_package(intsam)) and intsam.pc.
# Neither carries an absolute path, so an installed tree may be moved. Included once, after the targets exist.
include_guard()
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# What a C program must link besides the static library: the C++ runtime of the compiler that built it.
set(INTSAM_CXX_RUNTIME)
foreach(library IN LISTS CMAKE_CXX_IMPLICIT_LINK_LIBRARIES)
  if(library MATCHES "^(stdc\\+\\+|c\\+\\+)$")
    set(INTSAM_CXX_RUNTIME ${library})
  endif()
endforeach()

get_target_property(INTSAM_LIBRARY_TYPE intsam TYPE)
if(INTSAM_LIBRARY_TYPE STREQUAL "SHARED_LIBRARY")
  set(INTSAM_PC_LIBS "-lintsam")
else()
  set(INTSAM_PC_LIBS "-lintsam -pthread")
  if(INTSAM_CXX_RUNTIME)
    string(APPEND INTSAM_PC_LIBS " -l${INTSAM_CXX_RUNTIME}")
    target_link_libraries(intsam INTERFACE $<INSTALL_INTERFACE:$<$<LINK_LANGUAGE:C>:${INTSAM_CXX_RUNTIME}>>)
  endif()
endif()

option(INTSAM_INSTALL "Generate the install target" ${PROJECT_IS_TOP_LEVEL})
if(NOT INTSAM_INSTALL)
  return()
endif()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/intsam)
install(TARGETS intsam EXPORT intsam-targets COMPONENT devel
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT devel
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT devel
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT devel)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/runtime/include/intsam DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT devel
  FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(EXPORT intsam-targets NAMESPACE intsam:: DESTINATION ${package_dir} COMPONENT devel)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/intsam COMPONENT devel)

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/intsam-config.cmake.in ${PROJECT_BINARY_DIR}/intsam-config.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/intsam-config-version.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/intsam-config.cmake ${PROJECT_BINARY_DIR}/intsam-config-version.cmake
  DESTINATION ${package_dir} COMPONENT devel)

# intsam.pc finds its prefix from its own place: ${pcfiledir} is <prefix>/<libdir>/pkgconfig.
file(RELATIVE_PATH INTSAM_PC_TO_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" INTSAM_PC_TO_PREFIX "${INTSAM_PC_TO_PREFIX}")
configure_file(${PROJECT_SOURCE_DIR}/cmake/intsam.pc.in ${PROJECT_BINARY_DIR}/intsam.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/intsam.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT devel)

foreach(tool convert segment everything batch inspect compare bench)
  if(TARGET intsam-${tool})
    install(TARGETS intsam-${tool} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tools)
  endif()
endforeach()
if(TARGET intsam-batch)
  # In Python, as pycocotools is; needed for this alone.
  install(PROGRAMS ${PROJECT_SOURCE_DIR}/apps/coco/intsam_coco.py RENAME intsam-coco
    DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tools)
endif()
