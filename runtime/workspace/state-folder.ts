/** Where the services of a sandbox keep their state, each in a folder of its own name. */
export const STATE_PATH = "/state";

/** The user whom all of it belongs to, and who alone can enter it. */
export const STATE_USER = "state";
