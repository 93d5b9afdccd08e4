/* The C library in WebAssembly, as JavaScript: the table as data, and one function that applies any row of it.

   const core = await openCore(bytes);
   core.table                          [{name, formula, parameters: [{name, value}], ...}]
   core.apply(row, pass, "f32" | "f64", x, parameters, exact)  ->  Float32Array or Float64Array */
"use strict";

const ROOM = 1 << 14; // elements a call
const PASSES = {value: 0, derivative: 1, secondDerivative: 5};
const EXACT = 256;
const TYPES = {f32: {dtype: 2, array: Float32Array}, f64: {dtype: 3, array: Float64Array}};
// struct actc_activation where pointers and size_t have four bytes
const STRINGS = {name: 4, formula: 24, derivative: 28, range: 32, limits: 36, kink: 40, zeros: 44, reference: 48,
  secondDerivative: 60, domain: 64, kinks: 68, special: 96};

async function openCore(bytes) {
  const {instance} = await WebAssembly.instantiate(bytes, {});
  const c = instance.exports, memory = c.memory;
  // one page of arrays behind the library's own data
  const base = (c.__heap_base.value + 15) & ~15;
  const at = {x: base, y: base + 8 * ROOM, parameters: base + 16 * ROOM, pointers: base + 16 * ROOM + 256};
  const missing = at.pointers + 64 - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65536));
  const view = new DataView(memory.buffer);
  const word = p => view.getUint32(p, true);
  const text = p => {
    const all = new Uint8Array(memory.buffer, p);
    return new TextDecoder().decode(all.slice(0, all.indexOf(0)));
  };

  const table = [];
  for (let i = 0; i < c.actc_count(); i++) {
    const p = c.actc_at(i), row = {address: p, parameters: []};
    for (const [key, offset] of Object.entries(STRINGS)) row[key] = text(word(p + offset));
    for (let k = 0, q = word(p + 20); k < word(p + 16); k++, q += 16)
      row.parameters.push({name: text(word(q)), value: view.getFloat64(q + 8, true)});
    table.push(row);
  }

  function apply(row, pass, type, x, parameters, exact) {
    const {dtype, array} = TYPES[type];
    const y = new array(x.length), given = new Float64Array(memory.buffer, at.parameters, 8);
    given.set(parameters);
    view.setUint32(at.pointers, at.x, true);
    view.setUint32(at.pointers + 4, at.y, true);
    for (let start = 0; start < x.length; start += ROOM) {
      const some = x.subarray(start, start + ROOM);
      new array(memory.buffer, at.x, some.length).set(some);
      const failed = c.actc_apply(row.address, pass | (exact ? EXACT : 0), dtype, at.pointers, at.pointers + 4,
        some.length, at.parameters);
      if (failed) throw new Error(`actc_apply refused ${row.name}, pass ${pass}`);
      y.set(new array(memory.buffer, at.y, some.length), start);
    }
    return y;
  }
  return {table, apply, isa: text(c.actc_isa()), version: text(c.actc_version())};
}

/* The core as build.sh packs it: gzip, then base64. */
async function unpackCore(packed) {
  const bytes = Uint8Array.from(atob(packed), ch => ch.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/* A unit in the last place of float32 at v; results that no float32 holds count in the largest one's. */
const ulpWord = new DataView(new ArrayBuffer(8));
function ulp32(v) {
  ulpWord.setFloat64(0, v);
  const exponent = ((ulpWord.getUint32(0) >>> 20) & 0x7ff) - 1023;
  return 2 ** (Math.min(127, Math.max(-126, exponent)) - 23);
}

/* The error of a float32 result, in ULP, against a float64 one; NaN where there is nothing to compare. */
function errorInUlp(single, double) {
  if (single === Math.fround(double)) return Number.isFinite(single) ? (single - double) / ulp32(double) : 0;
  if (Number.isNaN(single) && Number.isNaN(double)) return NaN;
  return (single - double) / ulp32(double);
}

if (typeof module !== "undefined") module.exports = {openCore, unpackCore, errorInUlp, ulp32, PASSES};
