/* actc.hpp - actc.h for C++11: one overloaded name for the four types, spans of anything that has data() and size(), and
   default parameters. Everything is inline and calls the C symbols.

     std::vector<float> x(1000), y(1000), d(1000);
     actc::gelu(x, y);                                  actc::elu_value_and_derivative(x, y, d, 0.5);
     actc::exact::gelu_derivative(x, d);                actc::apply("mish", ACTC_FORWARD, x, y);

   All spans of a call have one length; std::invalid_argument otherwise, and for a name that the table does not have. */
#ifndef ACTC_HPP
#define ACTC_HPP

#include "actc.h"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace actc
{
enum class f16 : std::uint16_t {}; /* the bits of an IEEE binary16 */
enum class bf16 : std::uint16_t {};
using f32 = float;
using f64 = double;

template <class T> struct span {
    T *first;
    std::size_t count;
    span(T *data, std::size_t size) : first(data), count(size) {}
    template <std::size_t N> span(T (&array)[N]) : first(array), count(N) {}
    template <class C, class = typename std::enable_if<
                           std::is_convertible<decltype(std::declval<C &>().data()), T *>::value>::type>
    span(C &&container) : first(container.data()), count(container.size())
    {
    }
};

inline std::size_t same(std::initializer_list<std::size_t> sizes)
{
    for (std::size_t size : sizes)
        if (size != *sizes.begin()) throw std::invalid_argument("actc: spans of different lengths");
    return *sizes.begin();
}
template <class To, class From> To *as(From *p) { return reinterpret_cast<To *>(p); }

#define ACTC_DEFAULTS_NONE
#define ACTC_DEFAULTS_ONE(a, a0) , double a = a0
#define ACTC_DEFAULTS_TWO(a, a0, b, b0) , double a = a0, double b = b0
#define ACTC_DEFAULTS_THREE(a, a0, b, b0, c, c0) , double a = a0, double b = b0, double c = c0
#define ACTC_DEFAULTS_FOUR(a, a0, b, b0, c, c0, d, d0) , double a = a0, double b = b0, double c = c0, double d = d0
#define ACTC_GIVEN_NONE
#define ACTC_GIVEN_ONE(a, a0) , a
#define ACTC_GIVEN_TWO(a, a0, b, b0) , a, b
#define ACTC_GIVEN_THREE(a, a0, b, b0, c, c0) , a, b, c
#define ACTC_GIVEN_FOUR(a, a0, b, b0, c, c0, d, d0) , a, b, c, d

#define ACTC_UNARY(symbol, name, parameters, dtype, real)                                                              \
    inline void name(span<const dtype> x, span<dtype> y ACTC_DEFAULTS_##parameters)                                    \
    {                                                                                                                  \
        ::symbol##_##dtype(as<const real>(x.first), as<real>(y.first),                                                 \
                           same({x.count, y.count}) ACTC_GIVEN_##parameters);                                          \
    }
#define ACTC_OVERLOADS(symbol, name, tier, parameters, dtype, real)                                                    \
    ACTC_UNARY(symbol, name, parameters, dtype, real)                                                                  \
    ACTC_UNARY(symbol##_derivative, name##_derivative, parameters, dtype, real)                                        \
    ACTC_UNARY(symbol##_second_derivative, name##_second_derivative, parameters, dtype, real)                          \
    inline void name##_backward(span<const dtype> g, span<const dtype> x, span<dtype> gx ACTC_DEFAULTS_##parameters)   \
    {                                                                                                                  \
        ::symbol##_backward_##dtype(as<const real>(g.first), as<const real>(x.first), as<real>(gx.first),              \
                                    same({g.count, x.count, gx.count}) ACTC_GIVEN_##parameters);                       \
    }                                                                                                                  \
    inline void name##_value_and_derivative(span<const dtype> x, span<dtype> y,                                        \
                                            span<dtype> d ACTC_DEFAULTS_##parameters)                                  \
    {                                                                                                                  \
        ::symbol##_value_and_derivative_##dtype(as<const real>(x.first), as<real>(y.first), as<real>(d.first),         \
                                                same({x.count, y.count, d.count}) ACTC_GIVEN_##parameters);            \
    }

#define ROW(name, parameters, ...) ACTC_TYPES(ACTC_OVERLOADS, actc_##name, name, 0, parameters)
#include "actc/activations.def"
#undef ROW
namespace exact
{
#define ROW(name, parameters, ...) ACTC_TYPES(ACTC_OVERLOADS, actc_exact_##name, name, 0, parameters)
#include "actc/activations.def"
#undef ROW
} // namespace exact

/* By name, with default parameters: one input, and one output or, for ACTC_VALUE_AND_DERIVATIVE, two. */
inline void apply(const std::string &name, int pass, span<const float> x, span<float> y, span<float> d)
{
    const actc_activation *row = actc_find(name.c_str());
    if (!row) throw std::invalid_argument("actc: no function " + name);
    const void *in[] = {x.first};
    void *out[] = {y.first, d.first};
    actc_apply(row, static_cast<actc_pass>(pass), ACTC_F32, in, out, same({x.count, y.count, d.count}), nullptr);
}
inline void apply(const std::string &name, int pass, span<const float> x, span<float> y) { apply(name, pass, x, y, y); }
} // namespace actc
#endif
