import { z } from "zod";
import { gradeSchema } from "./schemas.ts";
import { type SignedRegrade, signatureSchema } from "./signature.ts";

/** A regrade as `cloche grade --signing-key --json` prints it. */
export const regradeSchema: z.ZodType<SignedRegrade> = z.strictObject({
  schema: z.literal("cloche.regrade/1"),
  bundle: z.string().regex(/^[0-9a-f]{64}$/, "must be a bundle's id"),
  grade: gradeSchema,
  signature: signatureSchema,
});
