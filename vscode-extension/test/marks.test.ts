import assert from "node:assert/strict";
import { test } from "node:test";
import { ghost, marks } from "../src/marks";
import type { Range } from "../src/protocol";
import { hunk, range } from "./hunks";

const text = ["def f(x)", "    total = 0", "    retrun total", "  print(x)", ""];

/** The marks as strings, "line:start-end old|new", of the hunk that replaces `at` by `newText`. */
function drawn(at: Range, newText: string): string[] {
  return marks(hunk("h", at, newText), (line) => text[line] ?? "").map(
    ({ range: { start, end }, text: fresh }) => {
      const old = (text[start.line] ?? "").slice(start.character, end.character);
      return `${start.line}:${start.character}-${end.character} ${old}|${fresh}`;
    },
  );
}

test("an insertion and a replacement within a line", () => {
  assert.deepEqual(drawn(range(0, 8), ":"), ["0:8-8 |:"]);
  assert.deepEqual(drawn(range(2, 4, 2, 10), "return"), ["2:4-10 retrun|return"]);
});

test("what both texts share is left alone, but words stay whole", () => {
  assert.deepEqual(drawn(range(2, 0, 2, 16), "    return total"), ["2:4-10 retrun|return"]);
  assert.deepEqual(drawn(range(1, 4, 1, 13), "totals = 0"), ["1:4-9 total|totals"]);
  assert.deepEqual(drawn(range(3, 0, 3, 10), "    print(x)"), ["3:2-2 |  "]);
});

test("as many lines as before are drawn line by line", () => {
  assert.deepEqual(drawn(range(1, 0, 3, 10), "    total = 1\n    return total\n    print(x)"), [
    "1:12-13 0|1",
    "2:4-10 retrun|return",
    "3:2-2 |  ",
  ]);
});

test("new lines follow the line before them, as far indented as their surroundings", () => {
  assert.deepEqual(drawn(range(1, 13), "\n    if x:\n        total = x"), ["1:13-13 |⏎if x:⏎    total = x"]);
  assert.deepEqual(drawn(range(2, 0), "    x += 1\n"), ["2:0-0 |x += 1⏎"]);
});

test("removed lines are struck through; a removed break is shown as such", () => {
  assert.deepEqual(drawn(range(1, 0, 2, 0), ""), ["1:0-13     total = 0|"]);
  assert.deepEqual(drawn(range(1, 13, 3, 0), "\n"), ["2:0-16     retrun total|"]);
  assert.deepEqual(drawn(range(3, 10, 4, 0), ""), ["3:10-10 |⌫⏎"]);
});

test("a replacement of one line by several shows the rest behind the first", () => {
  assert.deepEqual(drawn(range(2, 4, 2, 16), "if total:\n        return total"), [
    "2:4-16 retrun total|if total:⏎    return total",
  ]);
  assert.deepEqual(drawn(range(2, 4, 2, 16), "return total\n    print(x)"), [
    "2:4-10 retrun|return",
    "2:16-16 |⏎print(x)",
  ]);
});

test("ghost text shows spaces at its ends, tabs, and is not endless", () => {
  assert.equal(ghost("  a b "), "··a\u00a0b·");
  assert.equal(ghost("x⏎  y\t"), "x⏎··y→");
  assert.equal(ghost("z".repeat(500)).length, 121);
});
