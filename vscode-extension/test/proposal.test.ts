import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { applied } from "../src/positions";
import { accept, at, changeOf, follow, isCurrent, next, previous, propose, reject } from "../src/proposal";
import type { Step } from "../src/protocol";
import { hunk, hunksOf, range, spliced, splices } from "./hunks";

const three = [
  hunk("a", range(1, 4, 1, 6), "A"),
  hunk("b", range(1, 6, 1, 6), "\n"),
  hunk("c", range(3, 0, 4, 2), ""),
];

test("accepting hunks one by one, in any order, makes the same text as accepting all", () => {
  fc.assert(
    fc.property(splices(0), fc.array(fc.nat(), { minLength: 5, maxLength: 5 }), ({ text, all }, keys) => {
      let proposal = propose(1, hunksOf(text, all));
      let document = text;
      const order = proposal.pending
        .map(({ id }, i) => ({ id, key: keys[i] ?? 0 }))
        .sort((a, b) => a.key - b.key);
      for (const { id } of order) {
        const { changes, rest } = accept(proposal, new Set([id]));
        document = applied(document, changes);
        proposal = rest;
      }
      assert.equal(document, spliced(text, all));
      assert.deepEqual(proposal.pending, []);
      assert.deepEqual(
        proposal.accepted,
        order.map(({ id }) => id),
      );
    }),
    { seed: 3, numRuns: 500 },
  );
});

test("what is accepted after rejections leaves out exactly the rejected", () => {
  fc.assert(
    fc.property(splices(0), fc.nat(31), ({ text, all }, mask) => {
      const hunks = hunksOf(text, all);
      const kept = (i: number): boolean => (mask & (1 << i)) === 0;
      const left = reject(propose(1, hunks), new Set(hunks.filter((_, i) => !kept(i)).map(({ id }) => id)));
      assert.equal(
        applied(text, left.pending.map(changeOf)),
        spliced(
          text,
          all.filter((_, i) => kept(i)),
        ),
      );
    }),
    { seed: 4, numRuns: 500 },
  );
});

test("hunks that another change leaves alone still make the same edits", () => {
  fc.assert(
    fc.property(splices(1), fc.nat(4), ({ text, all }, which) => {
      const typed = all[which];
      fc.pre(typed !== undefined);
      const hunks = hunksOf(text, all);
      const change = changeOf(hunks[which] ?? hunk("", range(0, 0), ""));
      const others = propose(
        1,
        hunks.filter((_, i) => i !== which),
      );
      const followed = follow(others, [change], 2);
      assert.equal(followed.version, 2);
      assert.equal(followed.pending.length, all.length - 1);
      assert.equal(applied(applied(text, [change]), followed.pending.map(changeOf)), spliced(text, all));
    }),
    { seed: 5, numRuns: 500 },
  );
});

test("typing into a hunk drops it and only it", () => {
  const followed = follow(propose(1, three), [{ range: range(3, 1), text: "x" }], 2);
  assert.deepEqual(
    followed.pending.map(({ id }) => id),
    ["a", "b"],
  );
  assert.deepEqual(followed.rejected, []);
});

test("next and previous go round; at includes both ends", () => {
  const proposal = propose(1, three);
  const at14 = { line: 1, character: 4 };
  assert.equal(next(proposal, at14)?.id, "b");
  assert.equal(next(proposal, { line: 9, character: 0 })?.id, "a");
  assert.equal(previous(proposal, at14)?.id, "c");
  assert.equal(previous(proposal, { line: 3, character: 1 })?.id, "c");
  assert.equal(at(proposal, { line: 4, character: 2 })?.id, "c");
  assert.equal(at(proposal, { line: 2, character: 0 }), undefined);
  assert.equal(next(propose(1, []), at14), undefined);
});

test("steps of another job, another version or an older number are not current", () => {
  const step: Step = {
    jobId: "j",
    seq: 3,
    step: 3,
    totalSteps: null,
    textDocument: { uri: "u", version: 7 },
    hunks: [],
    window: range(0, 0),
  };
  assert.equal(isCurrent(step, "j", 7, 2), true);
  assert.equal(isCurrent(step, "k", 7, 2), false);
  assert.equal(isCurrent(step, "j", 8, 2), false);
  assert.equal(isCurrent(step, "j", 7, 3), false);
});
