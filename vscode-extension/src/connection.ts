// The language server's life in this window: finds an environment, starts the client, restarts it, and guides the person
// where there is nothing to start.

import {
  ConfigurationTarget,
  type ExtensionContext,
  type LogOutputChannel,
  commands,
  window,
  workspace,
} from "vscode";
import { Client, type Listener } from "./client";
import { type Environment, findEnvironment, hasServer, which } from "./environment";
import { install, privatePython } from "./install";
import type { Status } from "./protocol";
import { selectedPython } from "./python";
import type { Settings } from "./settings";

export class Connection {
  environment: Environment | undefined;
  private client: Client | undefined;
  private missing = "";
  private queue: Promise<void> = Promise.resolve();

  constructor(
    private readonly context: ExtensionContext,
    private readonly settings: () => Settings,
    private readonly listener: Listener,
    private readonly log: LogOutputChannel,
  ) {}

  /** Stops what runs and starts anew; calls follow one another. */
  restart(): Promise<void> {
    this.queue = this.queue.then(() => this.replace()).catch((error: unknown) => this.failed(error));
    return this.queue;
  }

  async stop(): Promise<void> {
    await this.client?.stop();
    this.client = undefined;
  }

  configure(): Promise<void> | undefined {
    return this.client?.running ? this.client.configure(this.settings()) : undefined;
  }

  /** The running client, or undefined after the person has been told what is missing. */
  async require(): Promise<Client | undefined> {
    await this.queue;
    if (this.client?.running) return this.client;
    if (this.missing) await this.guide();
    else await this.offerRestart();
    return this.client?.running ? this.client : undefined;
  }

  /** What is missing, and buttons that help. */
  async guide(): Promise<void> {
    const text = `Edit Flow: ${this.missing}`;
    const answer = await window.showWarningMessage(text, "Install…", "Choose Python…", "Help");
    const installed = answer === "Install…" && (await install(this.context.globalStorageUri, this.log));
    if (installed) await this.restart();
    if (answer === "Choose Python…") await choosePython();
    if (answer === "Help") await openWalkthrough(this.context);
  }

  private async offerRestart(): Promise<void> {
    const text = "Edit Flow: the language server does not run.";
    const answer = await window.showErrorMessage(text, "Restart", "Show Log");
    if (answer === "Restart") await this.restart();
    if (answer === "Show Log") this.log.show();
  }

  private async replace(): Promise<void> {
    await this.stop();
    this.report("loading", "looking for Python");
    const found = await findEnvironment({
      interpreter: this.settings().interpreter,
      trusted: workspace.isTrusted,
      privatePython: privatePython(this.context.globalStorageUri),
      which,
      selected: () => this.selected(),
      hasServer,
    });
    this.missing = "missing" in found ? found.missing : "";
    this.environment = "missing" in found ? undefined : found;
    if (this.environment) await this.launch(this.environment);
    else this.report("warning", "Edit Flow: set up");
  }

  private async launch(environment: Environment): Promise<void> {
    const { program, args } = environment.server;
    this.log.info(`server: ${[program, ...args].join(" ")} (${environment.source})`);
    const client = new Client(environment.server, this.settings(), this.listener, this.log);
    this.client = client;
    this.report("loading", "starting");
    client.onStopped(() => this.report("error", "Edit Flow: stopped"));
    await client.start();
  }

  private async selected(): Promise<string | undefined> {
    try {
      return await selectedPython();
    } catch (error) {
      this.log.warn(`the Python extension did not answer: ${String(error)}`);
      return undefined;
    }
  }

  private failed(error: unknown): void {
    this.log.error(String(error));
    this.report("error", "Edit Flow: does not start");
  }

  private report(kind: Status["kind"], message: string): void {
    this.listener.onStatus({ kind, model: null, device: null, queue: 0, message });
  }
}

export async function openWalkthrough(context: ExtensionContext): Promise<void> {
  await commands.executeCommand("workbench.action.openWalkthrough", `${context.extension.id}#start`, false);
}

async function choosePython(): Promise<void> {
  const files = await window.showOpenDialog({ canSelectMany: false, openLabel: "Use this Python" });
  const file = files?.[0]?.fsPath;
  if (file)
    await workspace.getConfiguration("editflow").update("interpreter", file, ConfigurationTarget.Global);
}
