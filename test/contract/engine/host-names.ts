import assert from "node:assert/strict";
import { faultOf, sh } from "../../support/engine.ts";
import type { ContractBody } from "../engine.ts";

/** Names under which a box finds itself, and the ports that its users may listen on. */
export const hostNamesContract: Readonly<Record<string, ContractBody>> = {
  "what is no name of a host is refused": async ({ engine, spec }) => {
    const bad = ["", "Shop.test", "shop test", "shop.test:80", "-a.test", "a..test", "a\nb", "a_b"];
    for (const name of [...bad, `${"a".repeat(64)}.test`, `${"a.".repeat(127)}test`]) {
      const one = spec({ hostNames: ["shop.test", name] });
      const fault = await faultOf(engine.create(one), "engine/spec-refused");
      assert.match(fault.message, /hostNames/);
    }
  },

  "its host names lead to the box itself, and no others anywhere": async ({ fresh }) => {
    await using box = await fresh({ hostNames: ["shop.test", "library.shop.test"] });
    for (const name of ["shop.test", "library.shop.test"]) {
      assert.match(await sh(box, `getent hosts ${name}`), /^127\.0\.0\.1 /);
    }
    assert.match(await sh(box, "getent hosts localhost"), /^(127\.0\.0\.1|::1) /);
    const { exitCode } = await box.exec(["/usr/bin/getent", "hosts", "example.com"], {
      user: "agent",
    });
    assert.notEqual(exitCode, 0);
    const servers = "grep nameserver /etc/resolv.conf | grep -v '127.0.0.1$' || true";
    assert.equal(await sh(box, servers), "");
    for (const file of ["/etc/hosts", "/etc/resolv.conf", "/etc/hostname"]) {
      const write = `echo '127.0.0.2 shop.test' >> ${file}`;
      const written = await box.exec(["/bin/sh", "-c", write], { user: "agent" });
      assert.notEqual(written.exitCode, 0, file);
    }
    const devices = await sh(box, "tail -n +3 /proc/net/dev | cut -d: -f1");
    assert.deepEqual(devices.trim().split(/\s+/), ["lo"]);
    assert.equal(await sh(box, "tail -n +2 /proc/net/route"), "");
    assert.equal(await sh(box, "hostname"), "sandbox\n");
  },

  "a user listens on port 80 and is found there by name": async ({ fresh }) => {
    await using box = await fresh({ hostNames: ["shop.test"] });
    const serve = `
      import http.server, threading, urllib.request
      class Page(http.server.BaseHTTPRequestHandler):
          def do_GET(self):
              self.send_response(200); self.end_headers()
              self.wfile.write(self.headers["Host"].encode())
          def log_message(self, *_): pass
      server = http.server.HTTPServer(("127.0.0.1", 80), Page)
      threading.Thread(target=server.serve_forever, daemon=True).start()
      print(urllib.request.urlopen("http://shop.test/").read().decode())`;
    const script = serve.replaceAll(/^ {6}/gm, "").trim();
    assert.equal(await sh(box, `python3 -c '${script}'`, "server"), "shop.test\n");
  },
};
