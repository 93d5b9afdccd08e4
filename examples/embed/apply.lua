-- apply.lua - a function chosen by name, over a file of raw float32: first f, then f', correctly rounded.
--   luajit apply.lua NAME INPUT OUTPUT libactc.so
local ffi = require "ffi"
ffi.cdef [[
typedef struct actc_activation actc_activation;
const actc_activation *actc_find(const char *name);
int actc_apply(const actc_activation *row, int pass, int dtype, const void *const *in, void *const *out, size_t n,
               const double *parameters);
]]
local VALUE_AND_DERIVATIVE, EXACT, F32 = 3, 256, 2

local name, input, output, library = unpack(arg)
local actc = ffi.load(library)
local row = actc.actc_find(name)
if row == nil then error(name .. ": no such function", 0) end

local file = assert(io.open(input, "rb"))
local bytes = file:read "*a"
file:close()
local n = #bytes / 4
local x, both = ffi.new("float[?]", n), ffi.new("float[?]", 2 * n)
ffi.copy(x, bytes, 4 * n)

local into = ffi.new("const void *[1]", x)
local out = ffi.new("void *[2]", both, both + n)
assert(actc.actc_apply(row, VALUE_AND_DERIVATIVE + EXACT, F32, into, out, n, nil) == 0)

file = assert(io.open(output, "wb"))
file:write(ffi.string(both, 8 * n))
file:close()
