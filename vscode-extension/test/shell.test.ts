import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { commandLine } from "../src/shell";

const args = ["-m", "editflow"];

test("a POSIX shell reads back the very words", { skip: process.platform === "win32" }, () => {
  const word = fc.string({ minLength: 1 }).filter((text) => !text.includes("\0"));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 3 }), (words) => {
      const line = commandLine({ program: "printf", args: ["%s\\0", "", ...words] }, "/bin/sh");
      const read = execFileSync("/bin/sh", ["-c", line], { encoding: "utf8" });
      assert.deepEqual(read.split("\0"), ["", ...words, ""]);
    }),
    { seed: 7, numRuns: 50 },
  );
});

test("plain words are left alone", () => {
  assert.equal(
    commandLine({ program: "/opt/py/bin/python", args }, "/usr/bin/fish"),
    "/opt/py/bin/python -m editflow",
  );
});

test("the shells of Windows quote in their own ways", () => {
  const program = "C:\\My Pythons\\it's\\python.exe";
  assert.equal(commandLine({ program, args }, "C:\\Windows\\System32\\cmd.exe"), `"${program}" -m editflow`);
  assert.equal(
    commandLine({ program, args }, "C:\\Program Files\\PowerShell\\7\\pwsh.exe"),
    "& 'C:\\My Pythons\\it''s\\python.exe' -m editflow",
  );
});
