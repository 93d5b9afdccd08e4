// apply.mjs - libactc as WebAssembly, in Node or any engine with 128-bit vectors: tools/wasm.sh actc.wasm
//   node apply.mjs NAME INPUT OUTPUT actc.wasm
import { readFileSync, writeFileSync } from "node:fs";

const [name, input, output, module] = process.argv.slice(2);
const { instance } = await WebAssembly.instantiate(readFileSync(module)); // it imports nothing
const actc = instance.exports;

// Memory from __heap_base on is ours. Pointers are numbers; views are made after the last grow().
let end = actc.__heap_base.value;
function allocate(bytes) {
  const at = (end + 15) & ~15;
  end = at + bytes;
  const missing = end - actc.memory.buffer.byteLength;
  if (missing > 0) actc.memory.grow(Math.ceil(missing / 65536));
  return at;
}
function put(bytes) {
  const at = allocate(bytes.length);
  new Uint8Array(actc.memory.buffer).set(bytes, at);
  return at;
}

const VALUE_AND_DERIVATIVE = 3, EXACT = 256, F32 = 2;
const row = actc.actc_find(put(Buffer.from(name + "\0")));
if (!row) {
  console.error(`${name}: no such function`);
  process.exit(2);
}
const bytes = readFileSync(input);
const n = bytes.length >> 2;
const x = put(bytes), y = allocate(4 * n), d = allocate(4 * n);
const ins = put(new Uint8Array(Uint32Array.of(x).buffer));
const outs = put(new Uint8Array(Uint32Array.of(y, d).buffer));
actc.actc_apply(row, VALUE_AND_DERIVATIVE | EXACT, F32, ins, outs, n, 0); // 0: parameters have their defaults
const result = (at) => new Uint8Array(actc.memory.buffer, at, 4 * n);
writeFileSync(output, Buffer.concat([result(y), result(d)]));
