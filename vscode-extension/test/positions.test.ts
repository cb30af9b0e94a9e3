import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { applied, moved, reanchor } from "../src/positions";
import { changeOf } from "../src/proposal";
import { hunksOf, positionAt, range, rangeAt, spliced, splices } from "./hunks";

test("changes are applied where they say, in any order of the list", () => {
  fc.assert(
    fc.property(splices(0), ({ text, all }) => {
      const changes = hunksOf(text, all).map(changeOf);
      assert.equal(applied(text, changes), spliced(text, all));
    }),
    { seed: 1, numRuns: 500 },
  );
  assert.equal(
    applied("abc", [
      { range: range(0, 2, 0, 3), text: "C" },
      { range: range(0, 0, 0, 1), text: "A" },
    ]),
    "AbC",
  );
});

test("lines end as the protocol says", () => {
  assert.equal(applied("a\r\nb\rc\nd", [{ range: range(2, 0, 3, 1), text: "X" }]), "a\r\nb\rX");
});

test("a position after a change moves with its text", () => {
  fc.assert(
    fc.property(splices(0), fc.nat(60), ({ text, all: [splice] }, far) => {
      fc.pre(splice !== undefined);
      const offset = splice.end + (far % (text.length - splice.end + 1));
      const change = { range: rangeAt(text, splice.start, splice.end), text: splice.text };
      const expected = positionAt(
        spliced(text, [splice]),
        offset + splice.text.length - (splice.end - splice.start),
      );
      assert.deepEqual(moved(positionAt(text, offset), change), expected);
    }),
    { seed: 2, numRuns: 500 },
  );
});

test("a range survives what does not touch it", () => {
  const here = range(2, 4, 2, 8);
  const change = (at: typeof here, text = ""): { range: typeof here; text: string } => ({ range: at, text });
  assert.deepEqual(reanchor(here, change(range(2, 0, 2, 3), "12345")), range(2, 6, 2, 10));
  assert.deepEqual(reanchor(here, change(range(0, 0), "\n\n")), range(4, 4, 4, 8));
  assert.deepEqual(reanchor(here, change(range(0, 0, 2, 2))), range(0, 2, 0, 6));
  assert.deepEqual(reanchor(here, change(range(2, 9), "x")), here);
});

test("a range is lost to what touches it, its ends included", () => {
  const here = range(2, 4, 2, 8);
  for (const touching of [
    range(2, 4),
    range(2, 8),
    range(2, 5, 2, 6),
    range(1, 0, 2, 4),
    range(2, 8, 3, 0),
    range(0, 0, 9, 0),
  ]) {
    assert.equal(reanchor(here, { range: touching, text: "x" }), null);
  }
});
