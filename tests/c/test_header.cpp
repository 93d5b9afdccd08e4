// test_header.cpp - the header is C++11 too, and its functions are found by their C names.
#include <actc.h>

#include <cstdio>
#include <cstring>
#include <vector>

int main()
{
    const std::vector<float> x{-1.0f, 0.0f, 2.0f};
    std::vector<float> y(x.size()), z(x.size());
    actc_elu_f32(x.data(), y.data(), x.size(), 0.5);

    const actc_activation *elu = actc_find("elu");
    const void *in[] = {x.data()};
    void *out[] = {z.data()};
    const double alpha = 0.5;
    if (!elu || actc_apply(elu, ACTC_FORWARD, ACTC_F32, in, out, x.size(), &alpha)) return 1;
    if (std::memcmp(y.data(), z.data(), y.size() * sizeof(float)) != 0 || y[2] != 2.0f) return 1;
    std::printf("actc %s, %s: elu(-1, alpha=0.5) = %.9g\n", actc_version(), actc_isa(), static_cast<double>(y[0]));
    return 0;
}
