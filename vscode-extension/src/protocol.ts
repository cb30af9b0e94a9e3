// The EditFlow extension of the language server protocol, version 1, as docs/protocol.md specifies it. Types only,
// and the names of its messages.

import type { Diagnostic, Position, Range } from "vscode-languageclient";

export type { Diagnostic, Position, Range };

export const STEP = "$/editflow/step";
export const END = "$/editflow/end";
export const STATUS = "$/editflow/status";
export const OUTCOME = "$/editflow/outcome";

export const FIX = "editflow.fix";
export const CANCEL = "editflow.cancel";
export const SUSPICION = "editflow.suspicion";

export interface ClientCapability {
  readonly version: 1;
  readonly stepStream: boolean;
  readonly status: boolean;
  readonly maxHz: number;
}

export interface VersionedDocument {
  readonly uri: string;
  readonly version: number;
}

export type Scope = "selection" | "function" | "file";

export interface FixParams {
  readonly jobId?: string;
  readonly textDocument: VersionedDocument;
  readonly range?: Range;
  readonly scope?: Scope;
  readonly mode?: "preview" | "apply";
  readonly instruction?: string;
  readonly diagnostics?: readonly Diagnostic[];
  readonly seed?: number;
}

export interface Hunk {
  readonly id: string;
  readonly range: Range;
  readonly newText: string;
  readonly state: "draft" | "settled";
  /** Calibrated probability that the hunk is right, 0 to 1. */
  readonly confidence: number;
}

export type FixStatus = "done" | "unchanged" | "cancelled" | "stale" | "error";

export interface FixResult {
  readonly jobId: string;
  readonly status: FixStatus;
  readonly reason?: string;
  readonly textDocument: VersionedDocument;
  readonly hunks: readonly Hunk[];
  readonly window: Range | null;
  readonly steps: number;
  readonly elapsedMs: number;
  readonly applied?: boolean;
  /** Which model answered, with its adapter. */
  readonly model?: string;
}

export interface Step {
  readonly jobId: string;
  readonly seq: number;
  readonly step: number;
  readonly totalSteps: number | null;
  readonly textDocument: VersionedDocument;
  readonly hunks: readonly Hunk[];
  readonly window: Range;
  readonly truncated?: boolean;
}

export interface End {
  readonly jobId: string;
  readonly status: FixStatus;
  readonly reason?: string;
}

export interface Status {
  readonly kind: "inactive" | "loading" | "ready" | "busy" | "warning" | "error";
  readonly model: string | null;
  readonly device: string | null;
  readonly queue: number;
  readonly message: string;
  /** What the model has learned of the repository of the document that was opened or fixed last. */
  readonly adapter?: string;
}

export interface Outcome {
  readonly jobId: string;
  readonly accepted: readonly string[];
  readonly rejected: readonly string[];
  readonly shownMs: number;
}
