import type { ApiApp, ApiParts } from "./api-parts.ts";
import { docsPage } from "./docs-page.ts";
import { eventSchema } from "./schemas.ts";

const ABOUT = `Sandboxed rollouts over MCP. Ask for a rollout, let the agent work through its MCP
endpoint or through the tools here, finish it, and read its grade. A failure is a problem document
(RFC 9457) with a stable \`code\`; without a grade the reward is null and never 0.`;

/** The document of the API, made from the schemas that the routes use, and a page to read it. */
export function addDocument(app: ApiApp, { version }: ApiParts): void {
  app.openAPIRegistry.register("Event", eventSchema);
  app.openAPIRegistry.registerComponent("securitySchemes", "key", {
    type: "http",
    scheme: "bearer",
    description: "A key of the service. None is needed where the service has no keys.",
  });
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title: "Cloche", version, description: ABOUT, license: { name: "Apache-2.0" } },
    security: [{ key: [] }],
  });
  const page = docsPage(document);
  app.get("/openapi.json", (c) => c.json(document));
  app.get("/docs", (c) => {
    const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'";
    c.header("content-security-policy", policy);
    return c.html(page);
  });
}
