import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { OfficeClient } from "../office-client.ts";

export const MINE = "mail/ana.ruiz@example.test";

export interface Row {
  readonly id: string;
  readonly thread_id: string;
  readonly subject: string;
  readonly from: string;
  readonly unread: boolean;
  readonly [other: string]: unknown;
}

/** A message as old programs write it: lines end in LF. */
function letter(headers: Readonly<Record<string, string>>, body: string): string {
  const lines = Object.entries({
    From: "Ben Ode <ben.ode@example.test>",
    To: "ana.ruiz@example.test",
    ...headers,
  });
  return `${lines.map(([name, value]) => `${name}: ${value}`).join("\n")}\n\n${body}\n`;
}

/** A mailbox with two threads and a folder in a folder. */
export const THREAD = {
  [`${MINE}/cur/1700000001.M1P1Q1.host:2,S`]: letter(
    { Subject: "Budget", Date: "Sun, 1 Mar 2026 10:00:00 +0100", "Message-ID": "<b1@x>" },
    "First numbers",
  ),
  [`${MINE}/new/1700000002.M1P1Q2.host`]: letter(
    {
      Subject: "Re: Budget",
      Date: "Sun, 1 Mar 2026 12:00:00 +0100",
      "Message-ID": "<b2@x>",
      "In-Reply-To": "<b1@x>",
      Cc: "Chi <chi.le@example.test>",
    },
    "Second numbers",
  ),
  [`${MINE}/new/1700000003.M1P1Q3.host`]: letter(
    {
      Subject: "=?utf-8?q?Caf=C3=A9?= plans",
      Date: "Mon, 2 Mar 2026 08:00:00 +0000",
      "Message-ID": "<c1@x>",
      From: "Chi =?utf-8?b?TMOq?= <chi.le@example.test>",
    },
    "Coffee?",
  ),
  [`${MINE}/.Projects.2026/cur/1700000004.M1P1Q4.host:2,FS`]: letter(
    { Subject: "Old plan", Date: "Thu, 1 Jan 2026 08:00:00 +0000" },
    "Archive me",
  ),
};

export async function list(office: OfficeClient, args: Record<string, unknown>): Promise<Row[]> {
  return (await office.data("list_messages", args))["messages"] as Row[];
}

/** The files of a folder under /state. */
export function raw({ state }: OfficeClient, folder: string): string[] {
  const path = join(state, folder);
  return readdirSync(path)
    .sort()
    .map((name) => readFileSync(join(path, name), "utf8"));
}
