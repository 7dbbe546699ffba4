// The requests that restep dap adds to the protocol, as dap/ext.go documents
// them; a test compares the names.

export const jumpCommand = "restep/jump";
export const stepsCommand = "restep/steps";

export interface JumpArguments {
  readonly step: number;
}

export interface StepsArguments {
  readonly from?: number;
  readonly count?: number;
  readonly machine?: string;
  readonly kind?: string;
  readonly grep?: string;
}

export interface Step {
  readonly step: number;
  readonly tick: number;
  /** Simulated, RFC 3339, UTC. */
  readonly time: string;
  readonly machine: string;
  /** 0 when the simulator itself made the step. */
  readonly goroutine: number;
  readonly kind: string;
  readonly text: string;
  readonly path?: string;
  readonly line?: number;
}

export interface StepsBody {
  readonly steps: readonly Step[];
  /** Steps of the run, whatever was selected. */
  readonly total: number;
}
