// The connection to the language server: how it is started, what it is told, and its part of the EditFlow protocol.

import type { Diagnostic, LogOutputChannel } from "vscode";
import {
  type ClientCapabilities,
  ExecuteCommandRequest,
  LSPErrorCodes,
  type Middleware,
  ResponseError,
  State,
  type StaticFeature,
} from "vscode-languageclient";
import { LanguageClient, type ServerOptions } from "vscode-languageclient/node";
import type { Command } from "./environment";
import type { Server } from "./preview";
import * as protocol from "./protocol";
import type { Settings } from "./settings";

const SCHEMES = ["file", "untitled", "vscode-notebook-cell"];
export const SELECTOR = SCHEMES.map((scheme) => ({ scheme, language: "python" }));

export interface Listener {
  onStep(step: protocol.Step): void;
  onStatus(status: protocol.Status): void;
  /** A code action asks for a fix: answered by a preview. */
  onFix(params: protocol.FixParams): Promise<unknown>;
}

export class Client implements Server {
  private readonly language: LanguageClient;

  constructor(
    command: Command,
    private settings: Settings,
    private readonly listener: Listener,
    private readonly log: LogOutputChannel,
  ) {
    const server: ServerOptions = { command: command.program, args: [...command.args] };
    this.language = new LanguageClient("editflow", "Edit Flow", server, {
      documentSelector: SELECTOR,
      initializationOptions: settings.server,
      outputChannel: log,
      middleware: this.middleware(),
    });
    this.language.registerFeature(new Announcement(settings));
    this.language.onNotification(protocol.STEP, (step: protocol.Step) => this.listener.onStep(step));
    this.language.onNotification(protocol.STATUS, (status: protocol.Status) =>
      this.listener.onStatus(status),
    );
    this.language.onNotification(protocol.END, ({ jobId, status }: protocol.End) =>
      log.debug(`job ${jobId}: ${status}`),
    );
  }

  get running(): boolean {
    return this.language.state === State.Running;
  }

  onStopped(report: () => void): void {
    this.language.onDidChangeState(({ newState }) => {
      if (newState === State.Stopped) report();
    });
  }

  start(): Promise<void> {
    return this.language.start();
  }

  async stop(): Promise<void> {
    if (this.language.needsStop()) await this.language.dispose();
  }

  async configure(settings: Settings): Promise<void> {
    this.settings = settings;
    await this.language.sendNotification("workspace/didChangeConfiguration", {
      settings: { editflow: settings.server },
    });
  }

  async fix(params: protocol.FixParams): Promise<protocol.FixResult> {
    try {
      return await this.execute<protocol.FixResult>(protocol.FIX, params);
    } catch (error) {
      const cancelled = error instanceof ResponseError && error.code === LSPErrorCodes.RequestCancelled;
      const reason = this.running && error instanceof Error ? error.message : "the language server stopped";
      const { textDocument, jobId = "" } = params;
      return {
        jobId,
        status: cancelled ? "cancelled" : "error",
        reason,
        textDocument,
        hunks: [],
        window: null,
        steps: 0,
        elapsedMs: 0,
      };
    }
  }

  async cancel(jobId: string): Promise<void> {
    if (this.running) await this.execute(protocol.CANCEL, { jobId });
  }

  suspicion(textDocument: protocol.VersionedDocument, show: boolean): Promise<unknown> {
    return this.execute(protocol.SUSPICION, { textDocument, show });
  }

  async outcome(outcome: protocol.Outcome): Promise<void> {
    if (!this.running) return;
    await this.language
      .sendNotification(protocol.OUTCOME, outcome)
      .catch((error: unknown) => this.log.error(String(error)));
  }

  diagnostics(items: readonly Diagnostic[]): protocol.Diagnostic[] {
    return items.map((item) => this.language.code2ProtocolConverter.asDiagnostic(item));
  }

  private execute<T>(command: string, argument: object): Promise<T> {
    return this.language.sendRequest(ExecuteCommandRequest.type, {
      command,
      arguments: [argument],
    }) as Promise<T>;
  }

  private middleware(): Middleware {
    return {
      executeCommand: async (command, args, next) => {
        if (command !== protocol.FIX || this.settings.preview === "off")
          return (await next(command, args)) as unknown;
        return this.listener.onFix(args[0] as protocol.FixParams);
      },
      workspace: {
        // The section is answered here, so that a workspace's value of a user's setting never reaches the server.
        configuration: (params) =>
          params.items.map(({ section }) => (section === "editflow" ? this.settings.server : null)),
      },
    };
  }
}

/** Tells the server in `initialize` which parts of the protocol this client speaks. */
class Announcement implements StaticFeature {
  constructor(private readonly settings: Settings) {}

  fillClientCapabilities(capabilities: ClientCapabilities): void {
    const { preview, maxHz } = this.settings;
    const editflow: protocol.ClientCapability = {
      version: 1,
      stepStream: preview !== "off",
      status: true,
      maxHz,
    };
    capabilities.experimental = { ...(capabilities.experimental as object | undefined), editflow };
  }

  initialize(): void {}

  getState(): { kind: "static" } {
    return { kind: "static" };
  }

  clear(): void {}
}
