// Bundles the extension into out/extension.js; with --tests, each unit test into out/test/ instead.

import { readdirSync } from "node:fs";
import { build } from "esbuild";

const tests = process.argv.includes("--tests");
const entries = tests ? readdirSync("test").filter((name) => name.endsWith(".test.ts")) : [];

await build({
  entryPoints: tests ? entries.map((name) => `test/${name}`) : ["src/extension.ts"],
  outdir: tests ? "out/test" : "out",
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  external: ["vscode"],
  minify: !tests,
  sourcemap: tests ? "inline" : false,
  mainFields: ["module", "main"],
  logLevel: "warning",
});
