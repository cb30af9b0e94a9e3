// One fix of one document, from the request to the last decision: follows the stream, holds the proposal, applies what
// is accepted and tells the server the outcome. It knows the editor only as a Buffer, so it is tested without one.

import { randomUUID } from "node:crypto";
import { type Change, LINE_BREAK, applied } from "./positions";
import { type Proposal, accept, follow, isCurrent, propose, reject } from "./proposal";
import type { FixParams, FixResult, Hunk, Outcome, Step } from "./protocol";

export interface Buffer {
  readonly version: number;
  getText(): string;
  /** Makes all changes in one undo step; false where the editor refused, for example after a keystroke in between. */
  apply(changes: readonly Change[]): Promise<boolean>;
}

export interface Server {
  fix(params: FixParams): Promise<FixResult>;
  cancel(jobId: string): Promise<void>;
  outcome(outcome: Outcome): Promise<void>;
}

/** What a request asks for; the preview adds job, mode and version. */
export type Request = Omit<FixParams, "jobId" | "mode">;

export type Phase = "running" | "reviewing" | "ended";

export class Preview {
  readonly jobId = randomUUID();
  phase: Phase = "running";
  proposal: Proposal;
  latest: Step | undefined;
  /** How many different sets of hunks the stream has brought. */
  seen = 0;

  private readonly log: { version: number; changes: readonly Change[] }[] = [];
  private tail: Promise<unknown> = Promise.resolve();
  private expected: { text: string; rest: Proposal } | undefined;
  private focused: string | undefined;
  private shown = "";
  private shownAt = 0;

  constructor(
    readonly request: Request,
    private readonly buffer: Buffer,
    private readonly server: Server,
    private readonly changed: () => void,
  ) {
    this.proposal = propose(request.textDocument.version, []);
  }

  /** The hunk that keys act on: the focused one, else the first. */
  get current(): Hunk | undefined {
    const { pending } = this.proposal;
    return pending.find((hunk) => hunk.id === this.focused) ?? pending[0];
  }

  focus(id: string | undefined): void {
    if (this.phase === "ended" || this.focused === id) return;
    this.focused = id;
    this.changed();
  }

  /** Runs the fix; on return the preview is in review, or has ended. */
  async run(): Promise<FixResult> {
    try {
      const result = await this.server.fix({ ...this.request, jobId: this.jobId, mode: "preview" });
      if (this.phase === "running") this.finish(result);
      return result;
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  onStep(step: Step): void {
    const last = this.latest?.seq ?? -Infinity;
    if (this.phase !== "running" || !isCurrent(step, this.jobId, this.buffer.version, last)) return;
    this.latest = step;
    this.show(propose(this.buffer.version, step.hunks));
  }

  /** The document changed; returns how many hunks the change made invalid. */
  onChange(changes: readonly Change[]): number {
    if (this.phase === "ended" || changes.length === 0) return 0;
    const { version } = this.buffer;
    if (this.phase === "running") this.log.push({ version, changes });
    const before = this.proposal;
    const ours = this.expected !== undefined && sameText(this.buffer.getText(), this.expected.text);
    this.proposal =
      ours && this.expected ? { ...this.expected.rest, version } : follow(before, changes, version);
    const dropped = ours ? 0 : before.pending.length - this.proposal.pending.length;
    this.settle();
    return dropped;
  }

  /** Applies these hunks, or all; false where the editor refused. */
  accept(hunks: readonly Hunk[] = this.proposal.pending): Promise<boolean> {
    const ids = new Set(hunks.map((hunk) => hunk.id));
    const outcome = this.tail.then(() => this.apply(ids));
    this.tail = outcome;
    return outcome;
  }

  reject(hunks: readonly Hunk[] = this.proposal.pending): void {
    if (this.phase !== "reviewing") return;
    this.proposal = reject(this.proposal, new Set(hunks.map((hunk) => hunk.id)));
    this.settle();
  }

  /** Stops a run; what a review has left is rejected. */
  async cancel(): Promise<void> {
    if (this.phase === "reviewing") this.reject();
    if (this.phase !== "running") return;
    this.drop();
    await this.server.cancel(this.jobId);
  }

  /** Takes the preview away: a newer one replaces it, or the document is gone. */
  drop(): void {
    if (this.phase === "ended") return;
    const reviewed = this.phase === "reviewing";
    this.phase = "ended";
    this.proposal = { ...this.proposal, pending: [] };
    this.changed();
    if (reviewed) void this.report();
  }

  private finish(result: FixResult): void {
    const covered = this.log.filter((entry) => entry.version > result.textDocument.version);
    let proposal = propose(result.textDocument.version, result.hunks);
    for (const { version, changes } of covered) proposal = follow(proposal, changes, version);
    if (
      result.status !== "done" ||
      proposal.version !== this.buffer.version ||
      proposal.pending.length === 0
    ) {
      this.drop();
      return;
    }
    this.phase = "reviewing";
    this.shownAt = Date.now();
    this.show(proposal);
  }

  private show(proposal: Proposal): void {
    const picture = JSON.stringify(proposal.pending.map(({ range, newText }) => [range, newText]));
    if (picture !== this.shown) this.seen += 1;
    this.shown = picture;
    this.proposal = proposal;
    this.changed();
  }

  private async apply(ids: ReadonlySet<string>): Promise<boolean> {
    const { changes, rest } = accept(this.proposal, ids);
    if (this.phase !== "reviewing" || changes.length === 0) return false;
    this.expected = { text: applied(this.buffer.getText(), changes), rest };
    const done = await this.buffer.apply(changes);
    this.expected = undefined;
    return done;
  }

  private settle(): void {
    if (this.phase === "reviewing" && this.proposal.pending.length === 0) this.drop();
    else this.changed();
  }

  private report(): Promise<void> {
    const { accepted, rejected } = this.proposal;
    return this.server.outcome({ jobId: this.jobId, accepted, rejected, shownMs: Date.now() - this.shownAt });
  }
}

/** Whether two texts are equal but for their line breaks, which an editor writes in the document's own way. */
function sameText(a: string, b: string): boolean {
  return a.split(LINE_BREAK).join("\n") === b.split(LINE_BREAK).join("\n");
}
