// apply.js - a function chosen by name, over a file of raw float32: first f, then f', correctly rounded.
//   node apply.js NAME INPUT OUTPUT actc.node          (apply_node.c says how to make that)
const { readFileSync, writeFileSync } = require("node:fs");
const { resolve } = require("node:path");

const [name, input, output, addon] = process.argv.slice(2);
const actc = require(resolve(addon));

const x = new Float32Array(new Uint8Array(readFileSync(input)).buffer);
const [y, d] = actc.valueAndDerivative(name, x);
writeFileSync(output, Buffer.concat([Buffer.from(y.buffer), Buffer.from(d.buffer)]));
