# cmake --install BUILD --prefix P: P/bin/attune, P/share/attune/config.schema.json and the documents in P/share/doc/attune.
# The installed program finds LibTorch in the folder that it was linked with; LibTorch itself is not copied.
set_target_properties(attune PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
install(TARGETS attune RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
# Written when it is installed, so that building attune alone is enough.
install(CODE "execute_process(COMMAND \"$<TARGET_FILE:attune>\" config schema
  OUTPUT_FILE \"${PROJECT_BINARY_DIR}/config.schema.json\" COMMAND_ERROR_IS_FATAL ANY)")
install(FILES "${PROJECT_BINARY_DIR}/config.schema.json" DESTINATION "${CMAKE_INSTALL_DATADIR}/attune")
install(FILES LICENSE README.md CHANGELOG.md DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(DIRECTORY docs configs DESTINATION "${CMAKE_INSTALL_DOCDIR}" FILES_MATCHING PATTERN "*.md" PATTERN "*.json")
