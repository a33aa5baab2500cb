# THUMB_FAILPOINTS: lets a test end a process at a named step (platform/failpoint.h). Never in what ships.
option(THUMB_FAILPOINTS "Steps at which a test can crash a process" OFF)
if(THUMB_FAILPOINTS)
  add_compile_definitions(THUMB_FAILPOINTS)
endif()
