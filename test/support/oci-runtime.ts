/** The OCI runtime under which sandboxes of the tests run; undefined: the engine's default. */
const ociRuntime: string | undefined = process.env["CLOCHE_TEST_RUNTIME"];

/** Whether sandboxes run under gVisor, which differs in what the tests say it differs. */
export const isRunsc: boolean = ociRuntime === "runsc";

/** For `openEngine`. */
export const runtimeChoice: object = ociRuntime === undefined ? {} : { runtime: ociRuntime };
