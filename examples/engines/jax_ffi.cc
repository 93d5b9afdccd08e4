// jax_ffi.cc - actc as a target of XLA's foreign function interface; jax_actc.py compiles and registers it.
//   c++ -std=c++17 -O2 -shared -fPIC jax_ffi.cc -I JAX_INCLUDE $(pkg-config --cflags --libs actc) -o jax_ffi.so
#include <actc.h>

#include <string>

#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

static int dtype_of(ffi::DataType type)
{
    switch (type) {
    case ffi::DataType::F16: return ACTC_F16;
    case ffi::DataType::BF16: return ACTC_BF16;
    case ffi::DataType::F32: return ACTC_F32;
    case ffi::DataType::F64: return ACTC_F64;
    default: return -1;
    }
}

static ffi::Error apply(ffi::AnyBuffer x, ffi::Result<ffi::AnyBuffer> y, std::string_view name, int64_t pass,
                        ffi::Span<const double> parameters)
{
    const actc_activation *row = actc_find(std::string(name).c_str());
    const int dtype = dtype_of(x.element_type());
    if (!row) return ffi::Error::InvalidArgument("actc has no such function");
    if (dtype < 0) return ffi::Error::InvalidArgument("actc computes float16, bfloat16, float32 and float64");
    if (parameters.size() && parameters.size() != row->parameter_count)
        return ffi::Error::InvalidArgument("another number of parameters than the function has");
    const void *in[] = {x.untyped_data()};
    void *out[] = {y->untyped_data()};
    actc_apply(row, actc_pass(pass), actc_dtype(dtype), in, out, x.element_count(),
               parameters.size() ? parameters.begin() : nullptr);
    return ffi::Error::Success();
}

XLA_FFI_DEFINE_HANDLER_SYMBOL(actc_jax_apply, apply,
                              ffi::Ffi::Bind()
                                  .Arg<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Attr<std::string_view>("name")
                                  .Attr<int64_t>("pass")
                                  .Attr<ffi::Span<const double>>("parameters"));
