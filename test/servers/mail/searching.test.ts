import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { seededClient } from "../people/seed.ts";
import { list, MINE, THREAD } from "./mailbox-fixture.ts";

describe("a search of mail", () => {
  it("answers what mail programs can be asked, or says that it can't", async () => {
    await using office = await seededClient("mail", THREAD);
    const ask = async (query: string) => {
      const found = await office.data("search_mail", { query });
      return (found["messages"] as { subject: string }[]).map(({ subject }) => subject).sort();
    };
    const budget = ["Budget", "Re: Budget"];
    assert.deepEqual(await ask("coffee OR numbers"), ["Budget", "Café plans", "Re: Budget"]);
    assert.deepEqual(await ask("from:chi OR subject:budget second"), ["Re: Budget"]);
    assert.deepEqual(await ask("subject:budget AND NOT second"), ["Budget"]);
    assert.deepEqual(await ask("plan | coffee"), ["Café plans", "Old plan"]);
    assert.deepEqual(await ask("date:2026-03-01"), budget);
    assert.deepEqual(await ask("date:2026-01-01..2026-03-01"), [
      "Budget",
      "Old plan",
      "Re: Budget",
    ]);
    assert.deepEqual(await ask("on:2026-03-02"), ["Café plans"]);
    assert.deepEqual(await ask("since:2026-03-02"), ["Café plans"]);
    assert.deepEqual(await ask("larger:1M"), []);
    assert.equal((await ask("smaller:1M")).length, 4);
    assert.deepEqual(await ask("folder:Projects/2026"), ["Old plan"]);
    const refused = async (query: string) => await office.refusal("search_mail", { query });
    assert.match(await refused("newer_than:7d"), /operator newer_than: is not known.*larger:/);
    assert.match(await refused("(coffee OR budget) numbers"), /Brackets are not known/);
    assert.match(await refused("larger:big"), /takes a size such as/);
    assert.match(await refused("date:yesterday"), /takes a date that exists/);
    const said = await office.text("search_mail", { query: "ref:12345" });
    assert.match(said, /0 messages\.[\s\S]*ref: is no operator here/);
    assert.match(
      await office.text("find_contacts", { query: "ben OR chi" }),
      /operators such as OR/,
    );
  });

  it("answers everyone who reads mail, though a room is in Cc", async () => {
    const letter = [
      "From: Ben Ode <ben.ode@example.test>",
      "To: ana.ruiz@example.test",
      "Cc: Room Azul <azul@rooms.test>, Chi <chi.le@example.test>",
      "Subject: Room",
      "Date: Sun, 1 Mar 2026 10:00:00 +0100",
      "Message-ID: <r1@x>",
      "",
      "Hello",
      "",
    ].join("\n");
    await using office = await seededClient("mail", {
      [`${MINE}/new/1700000001.M1P1Q1.h`]: letter,
    });
    const [row] = await list(office, {});
    const asked = { id: row?.id, body: "Yes", reply_all: true };
    const { recipients } = await office.data("reply_to_message", asked);
    assert.deepEqual(recipients, ["ben.ode@example.test", "chi.le@example.test"]);
    assert.equal(readdirSync(join(office.state, `${MINE}/.Sent/cur`)).length, 1);
  });
});
