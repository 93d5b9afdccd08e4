# What the other extensions need of this one.
cdef int dtype_of(int type_number) noexcept nogil
cdef void follow_context() noexcept
cdef object common(object a, object b)
