import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Preview } from "../src/preview";
import type { FixResult } from "../src/protocol";
import { FakeBuffer, FakeServer, URI } from "./fakes";
import { hunk, hunksOf, range, rangeAt, spliced, splices } from "./hunks";

const SOURCE = "for x in y\n    retrun x\nprint(x)\n";
const COLON = hunk("h1", range(0, 10), ":");
const RETURN = hunk("h2", range(1, 4, 1, 10), "return");

interface Scene {
  buffer: FakeBuffer;
  server: FakeServer;
  preview: Preview;
  result: Promise<FixResult>;
  paints: () => number;
}

function begin(text = SOURCE): Scene {
  const [buffer, server] = [new FakeBuffer(text), new FakeServer()];
  let paints = 0;
  const preview: Preview = new Preview(
    { textDocument: { uri: URI, version: 1 }, scope: "file" },
    buffer,
    server,
    () => (paints += 1),
  );
  buffer.onChange = (changes) => preview.onChange(changes);
  return { buffer, server, preview, result: preview.run(), paints: () => paints };
}

async function reviewed(): Promise<Scene> {
  const scene = begin();
  scene.server.answer([COLON, RETURN]);
  await scene.result;
  return scene;
}

const currentOf = (preview: Preview): string | undefined => preview.current?.id;
const ids = (preview: Preview): string[] => preview.proposal.pending.map(({ id }) => id);

test("steps are shown as they come, the result is reviewed, the buffer stays as it is", async () => {
  const { buffer, server, preview, result } = begin();
  assert.equal(server.params?.mode, "preview");
  preview.onStep(server.step(1, [COLON]));
  preview.onStep(server.step(2, [COLON]));
  preview.onStep(server.step(3, [COLON, RETURN]));
  assert.deepEqual([ids(preview), preview.seen, preview.phase], [["h1", "h2"], 2, "running"]);
  server.answer([COLON, RETURN]);
  await result;
  assert.deepEqual([ids(preview), preview.seen, preview.phase], [["h1", "h2"], 2, "reviewing"]);
  assert.deepEqual([buffer.getText(), buffer.version], [SOURCE, 1]);
});

test("a step of another version, job or time is ignored", () => {
  const { server, preview, paints } = begin();
  preview.onStep(server.step(5, [COLON]));
  preview.onStep(server.step(4, []));
  preview.onStep(server.step(6, [], 2));
  preview.onStep({ ...server.step(7, []), jobId: "another" });
  assert.deepEqual([ids(preview), paints()], [["h1"], 1]);
});

test("accepting all is one change, and one outcome", async () => {
  const { buffer, server, preview } = await reviewed();
  assert.equal(await preview.accept(), true);
  assert.equal(buffer.getText(), "for x in y:\n    return x\nprint(x)\n");
  assert.deepEqual([buffer.version, preview.phase], [2, "ended"]);
  const [outcome] = server.outcomes;
  assert.deepEqual([outcome?.accepted, outcome?.rejected, server.outcomes.length], [["h1", "h2"], [], 1]);
});

test("hunks decided one by one, the rest re-anchored", async () => {
  const { buffer, server, preview } = await reviewed();
  await preview.accept([COLON]);
  assert.deepEqual([ids(preview), preview.proposal.version], [["h2"], 2]);
  preview.reject([RETURN]);
  assert.equal(buffer.getText(), "for x in y:\n    retrun x\nprint(x)\n");
  assert.deepEqual([server.outcomes[0]?.accepted, server.outcomes[0]?.rejected], [["h1"], ["h2"]]);
});

test("two acceptances at once follow one another", async () => {
  const { buffer, preview } = await reviewed();
  assert.deepEqual(await Promise.all([preview.accept([COLON]), preview.accept([RETURN])]), [true, true]);
  assert.equal(buffer.getText(), "for x in y:\n    return x\nprint(x)\n");
});

test("an editor that refuses leaves the review as it was", async () => {
  const { buffer, preview } = await reviewed();
  buffer.refuse = true;
  assert.equal(await preview.accept(), false);
  assert.deepEqual([ids(preview), preview.phase, buffer.getText()], [["h1", "h2"], "reviewing", SOURCE]);
});

test("a keystroke that overtakes an acceptance is followed, not mistaken for it", async () => {
  const { buffer, preview } = await reviewed();
  buffer.refuse = true;
  const accepted = preview.accept([COLON]);
  buffer.type({ range: range(0, 0), text: "# note\n" });
  assert.equal(await accepted, false);
  assert.deepEqual(
    preview.proposal.pending.map(({ range: { start } }) => start.line),
    [1, 2],
  );
});

test("typing elsewhere moves the hunks, typing into one drops it", async () => {
  const { buffer, preview } = await reviewed();
  buffer.type({ range: range(0, 0), text: "import y\n" });
  assert.deepEqual(
    preview.proposal.pending.map(({ range: { start } }) => start.line),
    [1, 2],
  );
  assert.equal(preview.onChange([{ range: range(2, 6), text: "z" }]), 1);
  assert.deepEqual([ids(preview), preview.phase], [["h1"], "reviewing"]);
});

test("a review whose last hunk was typed into ends", async () => {
  const { buffer, server, preview } = await reviewed();
  buffer.type({ range: range(0, 0, 3, 0), text: "" });
  assert.deepEqual([preview.phase, server.outcomes[0]?.rejected], ["ended", []]);
});

test("a result for the text before a keystroke is carried over it", async () => {
  const { buffer, server, preview, result } = begin();
  buffer.type({ range: range(0, 0), text: "\n" });
  server.answer([COLON, RETURN]);
  await result;
  await preview.accept();
  assert.equal(buffer.getText(), "\nfor x in y:\n    return x\nprint(x)\n");
});

test("a result for a version that cannot be followed is dropped", async () => {
  const { server, preview, result } = begin();
  server.answer([COLON], { textDocument: { uri: URI, version: 9 } });
  await result;
  assert.equal(preview.phase, "ended");
});

test("cancelling a run tells the server once, and nothing is shown afterwards", async () => {
  const { buffer, server, preview, result } = begin();
  await preview.cancel();
  await preview.cancel();
  preview.onStep(server.step(1, [COLON]));
  server.answer([COLON]);
  await result;
  assert.deepEqual([server.cancelled, ids(preview), preview.phase], [[preview.jobId], [], "ended"]);
  assert.equal(await preview.accept(), false);
  assert.equal(buffer.getText(), SOURCE);
});

test("cancelling a review rejects what is left", async () => {
  const { server, preview } = await reviewed();
  await preview.cancel();
  assert.deepEqual(
    [preview.phase, server.outcomes[0]?.rejected, server.cancelled],
    ["ended", ["h1", "h2"], []],
  );
});

for (const status of ["unchanged", "cancelled", "stale", "error"] as const) {
  test(`a fix that ends as ${status} takes its steps away`, async () => {
    const { server, preview, result } = begin();
    preview.onStep(server.step(1, [COLON]));
    server.answer([], { status, reason: "because" });
    assert.equal((await result).status, status);
    assert.deepEqual([preview.phase, ids(preview), server.outcomes], ["ended", [], []]);
  });
}

test("a server that dies ends the preview", async () => {
  const { server, preview, result } = begin();
  server.fail(new Error("gone"));
  await assert.rejects(result, /gone/);
  assert.equal(preview.phase, "ended");
});

test("the keys act on the focused hunk, else on the first", async () => {
  const { preview } = await reviewed();
  assert.equal(currentOf(preview), "h1");
  preview.focus("h2");
  assert.equal(currentOf(preview), "h2");
  preview.reject([RETURN]);
  assert.equal(currentOf(preview), "h1");
});

test("line breaks of another kind do not confuse an acceptance", async () => {
  const { buffer, server, preview, result } = begin("a\r\nb\r\n");
  server.answer([hunk("h1", range(0, 1), "\nx"), hunk("h2", range(1, 0, 1, 1), "B")]);
  await result;
  buffer.apply = async (changes) => {
    await Promise.resolve();
    buffer.type(...changes.map((change) => ({ ...change, text: change.text.replaceAll("\n", "\r\n") })));
    return true;
  };
  await preview.accept([hunk("h1", range(0, 1), "\nx")]);
  assert.deepEqual(
    preview.proposal.pending.map((left) => left.range),
    [range(2, 0, 2, 1)],
  );
});

test("whatever is typed and decided, every hunk that was accepted is in the text and nothing else changed", async () => {
  await fc.assert(
    fc.asyncProperty(
      splices(1),
      fc.array(fc.nat(2), { minLength: 5, maxLength: 5 }),
      async ({ text, all }, decisions) => {
        fc.pre(all.length > 0);
        const { buffer, server, preview, result } = begin(text);
        const hunks = hunksOf(text, all);
        server.answer(hunks);
        await result;
        for (const [i, { id }] of hunks.entries()) {
          const pending = preview.proposal.pending.filter((left) => left.id === id);
          if (decisions[i] === 0) await preview.accept(pending);
          if (decisions[i] === 1) preview.reject(pending);
          if (decisions[i] === 2 && pending[0]) buffer.type({ range: pending[0].range, text: "T" });
        }
        const expected = all.flatMap((splice, i) => {
          if (decisions[i] === 1) return [];
          return [decisions[i] === 0 ? splice : { ...splice, text: "T" }];
        });
        assert.equal(buffer.getText(), spliced(text, expected));
        assert.equal(preview.phase, "ended");
      },
    ),
    { seed: 6, numRuns: 300 },
  );
});

test("positions of this file's helpers agree with each other", () => {
  assert.deepEqual(rangeAt(SOURCE, 15, 21), RETURN.range);
});
