# The Debian package: `./dev package DIR`. Its run-time libraries are found by dpkg-shlibdeps.
install(FILES docker/debian/mlpd.service DESTINATION lib/systemd/system)
install(FILES README.md LICENSE DESTINATION share/doc/mlpd)

set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)  # packing builds the program, not the tests
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME mlpd)
set(CPACK_PACKAGE_FILE_NAME mlpd)
set(CPACK_PACKAGE_CONTACT "mlpd authors <mlpd@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
foreach(script postinst prerm postrm)
  list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/docker/debian/${script})
endforeach()
include(CPack)
