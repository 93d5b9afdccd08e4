# What the other extensions need of this one.
cdef int contexts_used
cdef void follow_context() noexcept
