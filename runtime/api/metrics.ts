import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Step } from "../mcp/record/step.ts";
import type { RolloutService, ServiceStats } from "../service/service.ts";
import type { ServiceObserver } from "../service/service-options.ts";
import type { Outcome, Phase } from "../store/record.ts";

const PHASES: readonly Phase[] = [
  "requested",
  "seeded",
  "serving",
  "finished",
  "captured",
  "graded",
];
const OUTCOMES: readonly Outcome[] = [
  "graded",
  "agent_error",
  "task_error",
  "grader_error",
  "infra_error",
  "cancelled",
];
const FAST = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];
const SLOW = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** The service in numbers, for Prometheus; in a registry of its own, times in seconds. */
export class ServiceMetrics {
  readonly #registry = new Registry();
  readonly #queueWait = this.#histogram("queue_wait_seconds", "From request to place", SLOW);
  readonly #steps = this.#histogram("step_seconds", "A call of a tool, by part", FAST, ["part"]);
  readonly #stepCount = this.#counter("steps_total", "Calls of tools", ["outcome"]);
  readonly #unreadable = this.#counter(
    "unreadable_criteria_total",
    "Criteria that score 0 because what the agent made can't be read",
    ["task"],
  );
  readonly #capture = this.#histogram("capture_seconds", "Reading a final state", SLOW);
  readonly #grade = this.#histogram("grade_seconds", "Grading a final state", SLOW);
  readonly #regrade = this.#histogram("regrade_seconds", "Grading a bundle again", SLOW);
  readonly #engine = this.#histogram("engine_call_seconds", "Calls of the engine", SLOW, [
    "call",
    "ok",
  ]);
  readonly #http = this.#histogram("http_seconds", "Requests until their answer began", FAST, [
    "method",
    "route",
    "status",
  ]);

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
  }

  /** What a service reports to, so that it is counted here. */
  get observer(): ServiceObserver {
    return {
      onQueueWait: (ms) => this.#queueWait.observe(ms / 1000),
      onStep: (step) => this.#onStep(step),
      onEnded: (_, { captureMs, gradeMs }, { task, criteria }) => {
        const unreadable = criteria?.filter((one) => one.unreadable) ?? [];
        if (unreadable.length > 0) this.#unreadable.inc({ task: task.id }, unreadable.length);
        if (captureMs !== null) this.#capture.observe(captureMs / 1000);
        if (gradeMs !== null) this.#grade.observe(gradeMs / 1000);
      },
      onRegrade: (ms) => this.#regrade.observe(ms / 1000),
      onEngineCall: (call, ms, ok) => this.#engine.observe({ call, ok: String(ok) }, ms / 1000),
    };
  }

  /** `route` is the path's pattern, never a path with an id in it. */
  onHttp(method: string, route: string, status: number, ms: number): void {
    this.#http.observe({ method, route, status: String(status) }, ms / 1000);
  }

  /** Shows a service's own numbers whenever the metrics are read. Once. */
  watch(service: Pick<RolloutService, "stats">): void {
    const gauge = (name: string, help: string, value: (stats: ServiceStats) => number) =>
      this.#gauge(name, help, [], (one) => one.set(value(service.stats())));
    this.#gauge("rollouts_open", "Rollouts under way", ["phase"], (one) => {
      const { open } = service.stats();
      for (const phase of PHASES) one.set({ phase }, open[phase] ?? 0);
    });
    this.#total("rollouts_ended_total", "Rollouts ended", ["outcome"], (one) => {
      const { ended } = service.stats();
      for (const outcome of OUTCOMES) one.inc({ outcome }, ended[outcome] ?? 0);
    });
    gauge("queue_length", "Rollouts that wait for a place", ({ queued }) => queued);
    gauge("pool_ready", "Warm sandboxes that wait", ({ pool }) => pool.ready);
    gauge("pool_filling", "Warm sandboxes being made", ({ pool }) => pool.filling);
    gauge(
      "sandboxes_unconfirmed",
      "Sandboxes that ought to be gone and were not confirmed to be",
      ({ unconfirmed }) => unconfirmed,
    );
    const total = (name: string, help: string, value: (stats: ServiceStats) => number) =>
      this.#total(name, help, [], (one) => one.inc(value(service.stats())));
    total("pool_hits_total", "Rollouts that got a warm sandbox", ({ pool }) => pool.hits);
    total("pool_misses_total", "Rollouts that got a cold one", ({ pool }) => pool.misses);
    total("leaks_found_total", "Sandboxes that nobody owned", ({ leaksFound }) => leaksFound);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** In Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** A call of a tool: where its time went, and how it ended. */
  #onStep({ outcome, queueMs, upstreamMs, proxyMs }: Step): void {
    this.#stepCount.inc({ outcome });
    this.#steps.observe({ part: "queue" }, queueMs / 1000);
    this.#steps.observe({ part: "upstream" }, upstreamMs / 1000);
    this.#steps.observe({ part: "proxy" }, proxyMs / 1000);
  }

  #histogram(name: string, help: string, buckets: number[], labelNames: string[] = []) {
    const registers = [this.#registry];
    return new Histogram({ name: `cloche_${name}`, help, buckets, labelNames, registers });
  }

  #counter(name: string, help: string, labelNames: string[]) {
    return new Counter({ name: `cloche_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #gauge(name: string, help: string, labelNames: string[], show: (gauge: Gauge) => void): void {
    const registers = [this.#registry];
    new Gauge({ name: `cloche_${name}`, help, labelNames, registers, collect: refresh });
    function refresh(this: Gauge): void {
      show(this);
    }
  }

  /** A total that the service itself counts up. */
  #total(name: string, help: string, labelNames: string[], show: (one: Counter) => void): void {
    const registers = [this.#registry];
    new Counter({ name: `cloche_${name}`, help, labelNames, registers, collect: refresh });
    function refresh(this: Counter): void {
      this.reset();
      show(this);
    }
  }
}
