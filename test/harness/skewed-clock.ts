/** Preloaded into a process of a test (`--import`): its clock is ahead of everybody's by `SKEW_MS`, which may be negative. */
const skewMs = Number(process.env['SKEW_MS'] ?? '0')
const now = Date.now.bind(Date)
const RealDate = Date

Date.now = () => now() + skewMs
globalThis.Date = new Proxy(RealDate, {
  construct: (target, given: readonly unknown[], newTarget) =>
    Reflect.construct(target, given.length === 0 ? [now() + skewMs] : given, newTarget) as Date,
})
