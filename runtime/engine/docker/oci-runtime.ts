/**
 * gVisor, by any name that it is registered under. Its sandbox is a kernel of its own in host
 * processes, so what bounds it is not what bounds processes on the host's kernel.
 */
export function isGvisor(runtime: string | undefined): boolean {
  return runtime !== undefined && /runsc|gvisor/i.test(runtime);
}

/** What gVisor itself needs of the host: some threads, and one process for each program inside. */
const GVISOR_OWN = 256;
const GVISOR_EACH = 8;

/**
 * How many processes and threads of the host a box may be. The host's kernel counts what gVisor
 * runs for a program, several to each; who exceeds it ends gVisor and so its own box, whole.
 */
export function hostProcesses(processes: number, runtime: string | undefined): number {
  return isGvisor(runtime) ? GVISOR_OWN + GVISOR_EACH * processes : processes;
}
