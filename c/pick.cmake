# pick.cmake - a copy of the library with fewer functions: the tables lose their other rows, and everything follows.
#
#   cmake -DFUNCTIONS="gelu;silu" -DOUTPUT=smaller -P c/pick.cmake
#
# copies c/include and c/src to `smaller`. FUNCTIONS are rows of any table (activations, gates, rows), apl and rrelu. It is
# what CMakeLists.txt does for -DACTC_FUNCTIONS.
cmake_minimum_required(VERSION 3.18)
if(NOT FUNCTIONS OR NOT OUTPUT)
    message(FATAL_ERROR "usage: cmake -DFUNCTIONS=\"gelu;silu\" -DOUTPUT=directory -P pick.cmake")
endif()

file(GLOB_RECURSE paths RELATIVE ${CMAKE_CURRENT_LIST_DIR} ${CMAKE_CURRENT_LIST_DIR}/include/* ${CMAKE_CURRENT_LIST_DIR}/src/*)
set(names ${FUNCTIONS})
if("rrelu" IN_LIST names)
    list(APPEND names leaky_relu) # whose slopes it draws
endif()
list(REMOVE_ITEM names apl rrelu) # in no table
list(REMOVE_DUPLICATES names)
set(missing ${names})
foreach(path IN LISTS paths)
    if(NOT path MATCHES "\\.def$")
        configure_file(${CMAKE_CURRENT_LIST_DIR}/${path} ${OUTPUT}/${path} COPYONLY)
        continue()
    endif()
    # An entry is a macro whose first argument is a name, up to an empty line or the next entry. (The text is never a
    # list: it has semicolons and brackets.)
    file(READ ${CMAKE_CURRENT_LIST_DIR}/${path} text)
    set(kept "/* of ${path}: ${names} */\n")
    foreach(name IN LISTS names)
        set(rest "${text}")
        while(rest MATCHES "\n([A-Z]+\\(${name},[^\n]*(\n [^\n]*)*\n)")
            list(REMOVE_ITEM missing ${name})
            set(entry "${CMAKE_MATCH_1}")
            string(APPEND kept "${entry}")
            string(FIND "${rest}" "${entry}" at)
            string(LENGTH "${entry}" length)
            math(EXPR at "${at} + ${length} - 1")
            string(SUBSTRING "${rest}" ${at} -1 rest)
        endwhile()
    endforeach()
    file(CONFIGURE OUTPUT ${OUTPUT}/${path} CONTENT "@kept@" @ONLY) # touches the file only if it changes
endforeach()
if(missing)
    message(FATAL_ERROR "no function of the tables: ${missing}")
endif()

# A source that has nothing of what is wanted goes: its symbols would be those of an empty table.
set(apl ${FUNCTIONS})
set(random ${FUNCTIONS})
list(FILTER apl INCLUDE REGEX "^apl$")
list(FILTER random INCLUDE REGEX "^rrelu$")
file(STRINGS ${OUTPUT}/include/actc/gates.def gates REGEX "^GATE")
file(STRINGS ${OUTPUT}/include/actc/rows.def rows REGEX "^ROW")
foreach(part IN ITEMS apl random gates rows)
    if(NOT ${part})
        file(REMOVE ${OUTPUT}/src/${part}.c)
    endif()
endforeach()
