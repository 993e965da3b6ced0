// The sandbox's clock for a test: it stands still at TEST_NOW.
const now = Date.parse(process.env.TEST_NOW);
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...given) {
    super(...(given.length === 0 ? [now] : given));
  }
  static now() {
    return now;
  }
};
