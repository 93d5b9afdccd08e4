// apply.cpp - a function chosen by name, over a file of raw float32: first f, then f', correctly rounded.
//   c++ apply.cpp $(pkg-config --cflags --libs actc) -o apply && ./apply gelu input.f32 output.f32
#include <actc.hpp>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

int main(int argc, char **argv)
try {
    if (argc != 4) throw std::invalid_argument("usage: apply NAME INPUT OUTPUT");
    std::ifstream input(argv[2], std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(input), {}};
    std::vector<float> x(bytes.size() / sizeof(float)), y(x.size()), d(x.size());
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char *>(x.data()));

    actc::apply(argv[1], ACTC_VALUE_AND_DERIVATIVE | ACTC_EXACT, x, y, d);

    std::ofstream output(argv[3], std::ios::binary);
    output.exceptions(std::ios::failbit | std::ios::badbit);
    for (const auto &part : {y, d})
        output.write(reinterpret_cast<const char *>(part.data()), std::streamsize(part.size() * sizeof(float)));
} catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return 2;
}
