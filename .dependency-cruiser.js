/**
 * Who may import whom: the layers of docs/design/layout.md as rules. Type imports count like any other, cycles are errors.
 * Read from top to bottom: general rules, then each folder from the innermost to the outermost.
 */

const STAGES = 'consume|admit|handle|publish|readback|journal|saga|retry|park|outbox'
const OURS = '^(contracts|tracing|runtime|cli|services|console|infra|docs|test|bench)/'
/** What a handler and an agent file see; plain types and defineAgent, so every stage may speak of them. */
const VOCABULARY = '^runtime/(agent|context|events|outcomes|steps)\\.ts$'
const PUBLIC = '^(contracts|tracing|runtime|runtime/testing|runtime/outbox)/index\\.ts$'
/** The platform's own agents: they read and write what no other agent may, and the command line starts them. */
const OWN_SERVICES = 'ledger|timekeeper|compensator'
const ENTRY_POINTS = `${PUBLIC}|^runtime/internal\\.ts$|^services/(${OWN_SERVICES})/index\\.ts$`
/** Each server's library, and the one place that may know it. */
const VENDORS = [
  { library: 'kafkajs', home: '^runtime/adapters/kafka/' },
  {
    library: '@kafkajs/confluent-schema-registry',
    home: '^(contracts/registry-confluent\\.ts|runtime/adapters/confluent/)',
  },
  { library: 'ioredis', home: '^runtime/adapters/redis/' },
  { library: 'pg', home: '^runtime/adapters/postgres/' },
  { library: '@electric-sql/pglite', home: '^runtime/adapters/pglite/' },
  { library: 'pino', home: '^runtime/(adapters/pino/|logging\\.ts)' },
  { library: 'piscina', home: '^runtime/threads/' },
]

/** A rule that forbids `from` to import any of our files except those that match `allowed`. */
function only(name, from, allowed, comment) {
  return { name, comment, severity: 'error', from: { path: from }, to: { path: OURS, pathNot: allowed } }
}

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that import each other are one file, or lack a third one.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'The file or package does not exist.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'declared-packages',
      comment: 'Add it to package.json and to docs/design/dependencies.md.',
      severity: 'error',
      from: {},
      // The package's own name is no dependency of it.
      // The cruiser also calls a peer undeclared.
      to: {
        dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'],
        dependencyTypesNot: ['npm-peer'],
        pathNot: ENTRY_POINTS,
      },
    },
    {
      name: 'no-development-packages-in-the-product',
      comment: 'What is published must not need a dev dependency.',
      severity: 'error',
      // The page is bundled: what it imports is part of it.
      from: { path: '^(contracts|tracing|runtime|cli|services|console/server)/', pathNot: '\\.test\\.ts$' },
      // An optional peer is installed by who wants it; here it is a dev dependency too.
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only', 'npm-peer', 'npm-optional'] },
    },
    {
      name: 'index-only-at-entry-points',
      comment: 'Import the file itself; an index.ts inside hides cycles.',
      severity: 'error',
      from: {},
      to: { path: '(^|/)index\\.ts$', pathNot: [ENTRY_POINTS, 'node_modules'] },
    },
    {
      name: 'tests-and-benchmarks-are-leaves',
      comment: 'Nothing that ships imports test or bench.',
      severity: 'error',
      from: { pathNot: '^(test|bench)/' },
      to: { path: '^(test|bench)/' },
    },
    only('contracts-import-nothing', '^contracts/', '^contracts/', 'What two processes must agree on stands alone.'),
    only(
      'tracing-imports-contracts',
      '^tracing/',
      '^(contracts|tracing)/',
      'Tracing knows the envelope, not the runtime.',
    ),
    {
      name: 'tracing-sdk-in-setup-only',
      comment: 'Everything else uses @opentelemetry/api, which costs nothing while no SDK is installed.',
      severity: 'error',
      from: {
        path: '^(contracts|tracing|runtime|cli|services)/',
        pathNot: '^tracing/(setup|metrics-setup|metrics-push|flow-trace-ids)\\.ts$',
      },
      to: { path: 'node_modules/@opentelemetry/(?!api/)' },
    },
    only(
      'ports-import-contracts',
      '^runtime/(ports|config)/',
      '^contracts/|^runtime/(ports|config)/',
      'Ports and configuration are what all stages share, so they know none.',
    ),
    {
      name: 'stages-meet-in-ports',
      comment: 'A stage imports ports, contracts, tracing and its own folder; the service joins the stages.',
      severity: 'error',
      from: { path: `^runtime/(${STAGES})/` },
      to: { path: OURS, pathNot: [`^runtime/$1/`, '^(contracts|tracing)/', '^runtime/ports/', VOCABULARY] },
    },
    {
      name: 'recovery-knows-no-service',
      comment: 'A service starts recoveries; a recovery that knew the service would close the circle.',
      severity: 'error',
      from: { path: '^runtime/recover/' },
      to: { path: '^runtime/service/' },
    },
    {
      name: 'diagnosis-knows-no-service',
      comment: 'Diagnosis reads what stages have written, with their formats; it never runs one.',
      severity: 'error',
      from: { path: '^runtime/diagnose/' },
      to: { path: '^runtime/(service|adapters|compose|testing)' },
    },
    {
      name: 'an-adapter-knows-ports',
      comment: 'An adapter implements ports from contracts; adapters never import each other.',
      severity: 'error',
      from: { path: '^runtime/adapters/([^/]+)/' },
      to: { path: OURS, pathNot: ['^runtime/adapters/$1/', '^contracts/', '^runtime/ports/'] },
    },
    {
      name: 'adapters-are-chosen-in-compose',
      comment: 'compose.ts is the only file that knows several adapters.',
      severity: 'error',
      from: { pathNot: '^runtime/(compose\\.ts|compose/|adapters/|testing/)|^(test|bench)/' },
      to: { path: '^runtime/adapters/' },
    },
    ...VENDORS.map(({ library, home }) => ({
      name: `one-home-for-${library.replace(/[@/]+/g, '-').replace(/^-/, '')}`,
      comment: `Only ${home} knows ${library}.`,
      severity: 'error',
      from: { path: '^(contracts|tracing|runtime|cli|services|console)/', pathNot: home },
      to: { path: `node_modules/${library}/` },
    })),
    {
      name: 'command-line-uses-entry-points',
      comment:
        'What the command line needs, a user may need: it goes through index.ts or, if not for users, runtime/internal.ts.',
      severity: 'error',
      from: { path: '^(cli|console)/' },
      to: { path: '^(contracts|tracing|runtime|services|infra|docs)/', pathNot: ENTRY_POINTS },
    },
    only(
      'page-knows-its-api',
      '^console/web/',
      '^console/(web/|api)',
      'The page runs in a browser: it shares the types of answers with the server and nothing else.',
    ),
    only('api-stands-alone', '^console/api', '^console/api', 'Browser and server agree on plain types.'),
    {
      name: 'services-meet-on-topics',
      comment:
        'A service imports the package, its own domain and text methods; it hears of others through events only.',
      severity: 'error',
      from: { path: '^services/([^/]+)/', pathNot: `^services/(${OWN_SERVICES})/` },
      to: { path: OURS, pathNot: ['^services/($1|text)/', PUBLIC] },
    },
    {
      name: 'own-services-use-entry-points',
      comment:
        'The ledger and its like are part of the platform: they may use what the command line uses, and no more.',
      severity: 'error',
      from: { path: `^services/(${OWN_SERVICES})/` },
      to: { path: OURS, pathNot: ['^services/$1/', PUBLIC, '^runtime/internal\\.ts$'] },
    },
    only('infrastructure-stands-alone', '^infra/', '^infra/', 'Servers start before anything of ours is needed.'),
    only(
      'docs-read-tables',
      '^docs/',
      '^docs/|^contracts/|^runtime/config/|^tracing/metrics\\.ts$|^cli/reference\\.ts$',
      'Reference pages are generated from tables only.',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|\\.laban|coverage)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['laban-source', 'import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.json'],
    },
    reporterOptions: { dot: { collapsePattern: '^(runtime/(adapters/)?[^/]+|[^/]+)/' } },
  },
}
