// A buffer and a server for tests of the preview: the test decides when the server answers and what is typed meanwhile.

import type { Buffer, Server } from "../src/preview";
import { type Change, applied } from "../src/positions";
import { assertValid } from "./schema";
import type { FixParams, FixResult, Hunk, Outcome, Step } from "../src/protocol";
import { range } from "./hunks";

export const URI = "file:///a.py";

export class FakeBuffer implements Buffer {
  version = 1;
  refuse = false;
  onChange: (changes: readonly Change[]) => void = () => undefined;

  constructor(private text: string) {}

  getText(): string {
    return this.text;
  }

  /** What an editor does on a keystroke: a new text, a new version, an event. */
  type(...changes: Change[]): void {
    this.text = applied(this.text, changes);
    this.version += 1;
    this.onChange(changes);
  }

  async apply(changes: readonly Change[]): Promise<boolean> {
    await Promise.resolve();
    if (this.refuse) return false;
    this.type(...changes);
    return true;
  }
}

export class FakeServer implements Server {
  readonly cancelled: string[] = [];
  readonly outcomes: Outcome[] = [];
  params: FixParams | undefined;
  private settle: { resolve(result: FixResult): void; reject(error: Error): void } | undefined;

  fix(params: FixParams): Promise<FixResult> {
    assertValid("FixParams", params);
    this.params = params;
    return new Promise((resolve, reject) => (this.settle = { resolve, reject }));
  }

  async cancel(jobId: string): Promise<void> {
    this.cancelled.push(jobId);
    await Promise.resolve();
  }

  async outcome(outcome: Outcome): Promise<void> {
    assertValid("Outcome", outcome);
    this.outcomes.push(outcome);
    await Promise.resolve();
  }

  answer(hunks: Hunk[], more: Partial<FixResult> = {}): void {
    const result: FixResult = {
      jobId: this.params?.jobId ?? "",
      status: "done",
      textDocument: { uri: URI, version: 1 },
      hunks,
      window: null,
      steps: 3,
      elapsedMs: 10,
      ...more,
    };
    assertValid("FixResult", result);
    this.settle?.resolve(result);
  }

  fail(error: Error): void {
    this.settle?.reject(error);
  }

  step(seq: number, hunks: Hunk[], version = 1): Step {
    const jobId = this.params?.jobId ?? "";
    const step: Step = {
      jobId,
      seq,
      step: seq,
      totalSteps: 9,
      textDocument: { uri: URI, version },
      hunks,
      window: range(0, 0),
    };
    assertValid("Step", step);
    return step;
  }
}
