import { type FaultKind, faultMaker } from "../base/fault.ts";

/** What can be wrong with a request, or with how the service was started. */
export const API_FAULTS = {
  "bad-request": {
    blame: "caller",
    means: "A body, parameter or header is not what the endpoint takes.",
    remedy: "Correct what the message names; /docs shows every field with its bounds.",
  },
  "bad-json": {
    blame: "caller",
    means: "The body is not JSON, or is nested too deep.",
    remedy: "Send JSON in UTF-8 with at most 100 levels of nesting.",
  },
  "body-too-large": {
    blame: "caller",
    means: "The body is larger than the endpoint takes.",
    remedy: "Send less at once; the message names the bound.",
  },
  "slow-body": {
    blame: "caller",
    means: "The body stopped coming before its end.",
    remedy: "Send the request again, without pauses.",
  },
  "unsupported-type": {
    blame: "caller",
    means: "The body is not of a media type that the endpoint takes.",
    remedy: "Send it with the Content-Type that the message names.",
  },
  "no-route": {
    blame: "caller",
    means: "There is nothing at this path.",
    remedy: "See /docs for the paths.",
  },
  "wrong-method": {
    blame: "caller",
    means: "The path is there, but does not take this method.",
    remedy: "Use one of the methods in the Allow header.",
  },
  "host-refused": {
    blame: "caller",
    means:
      "The Host or Origin header names somebody else, as when a web page calls from a browser.",
    remedy: "Call the service by its own name, or start it with --allow-host for the name you use.",
  },
  "no-key": {
    blame: "caller",
    means: "No key came with the request, or none that is known.",
    remedy: "Send `Authorization: Bearer <key>` with a key of the service's key file.",
  },
  "rate-limited": {
    blame: "caller",
    means: "The key has used up its requests for now.",
    remedy: "Wait for as long as Retry-After says.",
  },
  "grades-full": {
    blame: "caller",
    means: "As many bundles as may wait to be graded again are waiting.",
    remedy: "Wait for as long as Retry-After says.",
  },
  "not-ended": {
    blame: "caller",
    means: "The rollout has not ended, so it has no bundle yet.",
    remedy: "Finish it, or wait for the event of phase stored.",
  },
  "no-bundle": {
    blame: "caller",
    means: "The rollout ended before its agent could do anything, or its bundle was not written.",
    remedy: "Read its fault and its steps; run it again.",
  },
  "upload-refused": {
    blame: "caller",
    means: "The uploaded archive is not a bundle of Cloche, or was altered.",
    remedy: "Send the bytes of GET /v1/rollouts/{id}/bundle as they came.",
  },
  "foreign-bundle": {
    blame: "caller",
    means:
      "The uploaded bundle is none of this service's and no key that it trusts has signed it, so the code in it is not run.",
    remedy:
      "Have it signed by a key that the service trusts (`serve --trust-key`), or call with a key that has `may=grade:foreign`.",
  },
  "keys-unreadable": {
    blame: "caller",
    means: "The keys cannot be read.",
    remedy: "Mend the line that the message names; `cloche keys new <id>` prints a good one.",
  },
  "key-required": {
    blame: "caller",
    means: "The service was to listen on an address that others reach, without a key.",
    remedy: "Make one with `cloche keys new <id>` and start with --keys, or listen on 127.0.0.1.",
  },
  "public-url-required": {
    blame: "caller",
    means:
      "No URL that clients could be given can be made of the address that was to be served at.",
    remedy: "Start with --public-url and the URL that clients use, or with another --host.",
  },
  "port-unusable": {
    blame: "caller",
    means: "The address cannot be listened on.",
    remedy: "Choose another --port or --host; 0 is any free port.",
  },
  "not-ready": {
    blame: "engine",
    means: "The service is starting or ending, or its engine cannot make a sandbox just now.",
    remedy: "Wait for as long as Retry-After says; if it lasts, run `cloche doctor`.",
  },
  internal: {
    blame: "store",
    means: "Something failed that has no code of its own.",
    remedy: "Look for the request's id in the service's log and report it.",
  },
} as const satisfies Record<string, FaultKind>;

export const apiFault = faultMaker("api", API_FAULTS);
