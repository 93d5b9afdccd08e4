# apply.rb - a function chosen by name, over a file of raw float32: first f, then f', correctly rounded.
#   ruby apply.rb NAME INPUT OUTPUT libactc.so
require "fiddle/import"

name, input, output, library = ARGV

Actc = Module.new do
  extend Fiddle::Importer
  dlload library
  extern "void *actc_find(const char *name)"
  extern "int actc_apply(void *row, int pass, int dtype, void *in, void *out, size_t n, void *parameters)"
end
VALUE_AND_DERIVATIVE, EXACT, F32 = 3, 256, 2

row = Actc.actc_find(name)
abort "#{name}: no such function" if row.null?

x = File.binread(input)
n = x.bytesize / 4
y, d = Array.new(2) { Fiddle::Pointer.malloc(4 * n, Fiddle::RUBY_FREE) }
pointers = ->(*all) { all.map { |p| Fiddle::Pointer[p].to_i }.pack("J*") }
status = Actc.actc_apply(row, VALUE_AND_DERIVATIVE | EXACT, F32, pointers[x], pointers[y, d], n, nil)
abort "no such pass" unless status.zero?
File.binwrite(output, y[0, 4 * n] + d[0, 4 * n])
