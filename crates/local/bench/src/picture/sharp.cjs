// Measures sharp. Reads a JSON request per line of standard input and prints a JSON result per line.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const sharp = require('sharp');

sharp.concurrency(1);
sharp.cache(false);

const BOUNDS = [1080, 512, 128];

const inside = (image, bound) => image.resize(bound, bound, { fit: 'inside', withoutEnlargement: true });
const encode = (image, format) =>
  format === 'jpeg'
    ? image.jpeg({ quality: 80, chromaSubsampling: '4:2:0', optimiseCoding: true }).toBuffer()
    : image.webp({ quality: 80, effort: 4 }).toBuffer();

// Decodes once. Each size is made from the previous one.
async function cascade(bytes, formats) {
  const out = [];
  let source = sharp(bytes).autoOrient();
  for (const bound of BOUNDS) {
    const { data, info } = await inside(source, bound).raw().toBuffer({ resolveWithObject: true });
    const raw = { width: info.width, height: info.height, channels: info.channels };
    for (const format of formats) out.push([bound, format, await encode(sharp(data, { raw }), format)]);
    source = sharp(data, { raw });
  }
  return out;
}

// Makes every file from the original, as in sharp's documentation.
async function independent(bytes, formats) {
  const out = [];
  for (const bound of BOUNDS) {
    for (const format of formats) {
      out.push([bound, format, await encode(inside(sharp(bytes).autoOrient(), bound), format)]);
    }
  }
  return out;
}

const status = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(fs.readFileSync('/proc/self/status'))[1]);

async function measure({ file, strategy, formats, out }) {
  const bytes = fs.readFileSync(file);
  fs.writeFileSync('/proc/self/clear_refs', '5');
  const before = status('VmRSS');
  const start = process.cpuUsage();
  const files = await (strategy === 'cascade' ? cascade : independent)(bytes, formats);
  const usage = process.cpuUsage(start);
  const peak = status('VmHWM');
  if (out) for (const [bound, format, data] of files) fs.writeFileSync(path.join(out, `${bound}.${format}`), data);
  return { cpu_ms: (usage.user + usage.system) / 1000, grown_kib: peak - before, peak_kib: peak };
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(JSON.stringify(await measure(JSON.parse(line))) + '\n');
  }
})();
