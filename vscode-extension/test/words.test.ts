import assert from "node:assert/strict";
import { test } from "node:test";
import { propose, reject } from "../src/proposal";
import type { Status, Step } from "../src/protocol";
import { describe } from "../src/words";
import { hunk, range } from "./hunks";

const READY: Status = { kind: "ready", model: "default@9a61e92a", device: "cpu", queue: 0, message: "" };
const two = propose(1, [hunk("a", range(0, 0), "x"), hunk("b", range(1, 0), "y")]);
const step: Step = {
  jobId: "j",
  seq: 1,
  step: 4,
  totalSteps: 32,
  textDocument: { uri: "u", version: 1 },
  hunks: [],
  window: range(0, 0),
};

test("the model and where it runs", () => {
  assert.deepEqual(describe(READY, undefined, ""), {
    icon: "edit",
    text: "default",
    tooltip: "Edit Flow, model default@9a61e92a on cpu",
  });
});

test("what was learned from the repository is said where one looks", () => {
  const { tooltip } = describe({ ...READY, adapter: "poetry@1a2b3c4d" }, undefined, "");
  assert.equal(
    tooltip,
    "Edit Flow, model default@9a61e92a on cpu\nwith poetry@1a2b3c4d, trained on this repository",
  );
});

test("every state of the server has words", () => {
  const text = (kind: Status["kind"], message = ""): string =>
    describe({ ...READY, kind, message }, undefined, "").text;
  assert.equal(text("loading"), "default: loading");
  assert.equal(text("busy"), "default: busy");
  assert.equal(text("inactive"), "Edit Flow: off");
  assert.equal(text("warning", "out of memory: on the CPU now"), "out of memory: on the CPU now");
  assert.equal(text("error"), "Edit Flow: error");
  assert.equal(describe({ ...READY, kind: "error" }, undefined, "").severity, "error");
});

test("a run counts its steps and edits, a review what is left", () => {
  const running = { phase: "running" as const, latest: undefined, proposal: two };
  assert.equal(describe(READY, running, "").text, "reading");
  assert.equal(describe(READY, { ...running, latest: step }, "").text, "step 4 of 32, 2 edits");
  assert.equal(
    describe(READY, { ...running, latest: { ...step, totalSteps: null } }, "").text,
    "step 4, 2 edits",
  );
  const review = (proposal: typeof two): string =>
    describe(READY, { ...running, phase: "reviewing", proposal }, "").text;
  assert.equal(review(two), "2 edits to review");
  assert.equal(review(reject(two, new Set(["a"]))), "1 of 2 edits to review");
});

test("a notice goes before all else", () => {
  assert.equal(
    describe({ ...READY, kind: "busy" }, undefined, "nothing to fix here").text,
    "nothing to fix here",
  );
});
