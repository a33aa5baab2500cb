# THUMB_SANITIZE: a list for -fsanitize= ("address,undefined" or "thread"); empty for none.
set(THUMB_SANITIZE "" CACHE STRING "Sanitizers to build everything with")
if(THUMB_SANITIZE)
  add_compile_options(-fsanitize=${THUMB_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${THUMB_SANITIZE})
endif()
