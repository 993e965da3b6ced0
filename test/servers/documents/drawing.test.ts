import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { missing, POPPLER } from "../debian-programs.ts";
import { documentsClient, minimalPdf, put } from "./support.ts";

const skip = await missing(POPPLER);
const SIDE = 100;

describe("drawing a page of a hostile PDF", { skip }, () => {
  it("shows nothing of a file that the PDF names", async () => {
    await using client = await documentsClient();
    const pictures: string[] = [];
    for (const shade of [0x00, 0x80, 0xff]) {
      const secret = join(client.state, `secret-${shade}`);
      await writeFile(secret, Buffer.alloc(SIDE * SIDE, shade));
      await put(client, "outside.pdf", imagePdf(`/Width ${SIDE}/Height ${SIDE}/F(${secret})`, ""));
      pictures.push(
        JSON.stringify((await client.call("render_page", { path: "outside.pdf" })).content),
      );
    }
    // Three different files, three times the same picture of nothing.
    assert.equal(new Set(pictures).size, 1);
    const drawn: string[] = [];
    for (const shade of ["\x00", "\xff"]) {
      await put(
        client,
        "inside.pdf",
        imagePdf(`/Width ${SIDE}/Height ${SIDE}`, shade.repeat(SIDE * SIDE)),
      );
      drawn.push(
        JSON.stringify((await client.call("render_page", { path: "inside.pdf" })).content),
      );
    }
    assert.notEqual(drawn[0], drawn[1]); // What is in the PDF itself is drawn.
  });

  it("ends with a result, and serves on, where a picture wants all memory", async () => {
    await using client = await documentsClient("scan.pdf");
    const size = 2_000_000_000;
    await put(client, "huge.pdf", imagePdf(`/Width ${size}/Height ${size}`, "x".repeat(1_000)));
    const { content } = await client.call("render_page", { path: "huge.pdf" });
    assert.ok(content.length > 0);
    const page = `<</Type/Page/Parent 2 0 R/MediaBox[0 0 ${size} 1]>>`;
    await put(client, "wide.pdf", minimalPdf(["<</Type/Pages/Kids[3 0 R]/Count 1>>", page]));
    await client.call("render_page", { path: "wide.pdf", longest_side: 2000 });
    const next = await client.call("render_page", { path: "scan.pdf", longest_side: 200 });
    assert.equal(next.isError ?? false, false);
  });
});

/** One page that draws one grey image, which is told and holds this. */
function imagePdf(told: string, data: string): Buffer {
  const draw = "q 200 0 0 200 0 0 cm /I Do Q";
  const image = `<</Type/XObject/Subtype/Image/ColorSpace/DeviceGray/BitsPerComponent 8${told}`;
  return minimalPdf([
    "<</Type/Pages/Kids[3 0 R]/Count 1>>",
    "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>",
    `<</Length ${draw.length}>>stream\n${draw}\nendstream`,
    `${image}/Length ${data.length}>>stream\n${data}\nendstream`,
  ]);
}
