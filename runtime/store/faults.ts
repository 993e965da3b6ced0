import { type FaultKind, faultMaker } from "../base/fault.ts";

/** What can go wrong with what remains of a rollout. */
export const STORE_FAULTS = {
  "folder-unusable": {
    blame: "caller",
    means: "The data folder cannot be made, read or written.",
    remedy: "Give a folder that you may write with --data, or set its rights.",
  },
  "folder-damaged": {
    blame: "store",
    means: "A file of the data folder does not hold what it must.",
    remedy: "Restore the named file, or start with a new data folder.",
  },
  "database-unusable": {
    blame: "store",
    means: "The database of records cannot be opened, read or written.",
    remedy:
      "See that the disk is not full and that the file is a database; restore it if it is damaged.",
  },
  "database-newer": {
    blame: "caller",
    means: "The database of records was made by a newer Cloche.",
    remedy: "Use that Cloche, or another data folder.",
  },
  "record-final": {
    blame: "store",
    means: "A record whose outcome is known was to be changed.",
    remedy: "This is a bug of Cloche: a final record never changes; report it.",
  },
  "record-damaged": {
    blame: "store",
    means: "A record in the database is not a record of a rollout.",
    remedy: "Restore the database; something else has written into it.",
  },
  "record-missing": {
    blame: "caller",
    means: "No record fits the letters given.",
    remedy: "Give the first letters, four at least, of the id of a rollout or of its bundle.",
  },
  "record-ambiguous": {
    blame: "caller",
    means: "The letters given fit several records.",
    remedy: "Give more letters of the id.",
  },
  "bad-cursor": {
    blame: "caller",
    means: "The cursor of a list was not one that a list gave.",
    remedy: "Start the list again without a cursor.",
  },
  "bundle-missing": {
    blame: "caller",
    means: "No bundle is there, or none with that name.",
    remedy: "Give a bundle's folder, or the first letters of the id of a bundle or rollout.",
  },
  "bundle-uncaptured": {
    blame: "caller",
    means: "The bundle holds the steps of a rollout whose workspace could not be read at its end.",
    remedy: "There is nothing in it to be graded; read its steps and the fault in its record.",
  },
  "no-room": {
    blame: "store",
    means: "The disk of the data folder is full, or takes no writing, so no rollout can begin.",
    remedy: "Free space on the disk that the message names; rollouts are taken again at once then.",
  },
  "bundle-ambiguous": {
    blame: "caller",
    means: "The letters given fit several bundles.",
    remedy: "Give more letters of the id.",
  },
  "bundle-altered": {
    blame: "store",
    means: "A bundle does not hold what its manifest says, or holds more.",
    remedy: "Do not trust it; take an untouched copy.",
  },
  "bundle-unsigned": {
    blame: "caller",
    means: "A bundle or a regrade carries no signature, but one was asked for.",
    remedy: "Take it for what it is, or serve with --signing-key so that later ones are signed.",
  },
  "signature-wrong": {
    blame: "store",
    means: "A signature does not fit: another key's, or what was signed was rewritten since.",
    remedy: "Do not trust it; see that the public key is that of the service which made it.",
  },
  "signing-key-unusable": {
    blame: "caller",
    means: "A key for signatures cannot be read, or is not an ed25519 key in PEM.",
    remedy: "Give an ed25519 key in PEM; cloche keys signing makes a pair.",
  },
  "bundle-unreadable": {
    blame: "caller",
    means: "A bundle is there but a file of it cannot be read.",
    remedy: "See to the rights of the files and to the disk.",
  },
  "bundle-unwritten": {
    blame: "store",
    means: "A bundle could not be written; nothing of it is visible.",
    remedy: "See that the disk is not full and the data folder writable, then grade or run again.",
  },
} as const satisfies Record<string, FaultKind>;

export const storeFault = faultMaker("store", STORE_FAULTS);
