# attune_sources(OUT ROOT PATTERN MODULE…): OUT becomes the files ROOT/MODULE/PATTERN. Each module is one folder; the lists are
# in the order of docs/architecture.md. CONFIGURE_DEPENDS makes a new file a new object.
#
# In a unity build (CMAKE_UNITY_BUILD, preset release) neighbouring files of one module are compiled as one, which halves the
# time of a clean build: most of it is headers and templates that every file would repeat. Names in unnamed namespaces must
# then differ within a module; the preset dev compiles each file for itself, so that each must include what it uses. Targets set UNITY_BUILD_MODE
# to GROUP, or a new file would move the borders of all groups.
set(ATTUNE_UNITY_FILES 8)

function(attune_sources out root pattern)
  set(files)
  foreach(module IN LISTS ARGN)
    file(GLOB module_files CONFIGURE_DEPENDS "${root}/${module}/${pattern}")
    set(index 0)
    foreach(file IN LISTS module_files)
      math(EXPR group "${index} / ${ATTUNE_UNITY_FILES}")
      set_source_files_properties("${file}" PROPERTIES UNITY_GROUP "${module}_${group}")
      math(EXPR index "${index} + 1")
    endforeach()
    list(APPEND files ${module_files})
  endforeach()
  set(${out} ${files} PARENT_SCOPE)
endfunction()
