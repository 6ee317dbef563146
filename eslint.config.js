/** Lint rules. Type-checked, because a promise nobody waits for is an offset committed too early. Layout is Prettier's alone. */
import js from '@eslint/js'
import jsdoc from 'eslint-plugin-jsdoc'
import tseslint from 'typescript-eslint'

const UNIT_LIMITS = {
  'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
  'max-params': ['error', 4],
  'max-depth': ['error', 4],
  complexity: ['error', 20],
}

/** Every exported function and class says what it is for. */
const DOCUMENTED = {
  publicOnly: true,
  require: {
    FunctionDeclaration: true,
    ClassDeclaration: true,
    ArrowFunctionExpression: true,
    FunctionExpression: true,
  },
  // The interface that a class implements documents its methods.
  checkConstructors: false,
}

/** Selectors of `no-restricted-syntax`. Given together, because a later block replaces the list of an earlier one. */
const NO_DEFAULT_EXPORT = {
  selector: 'ExportDefaultDeclaration',
  message: 'Export by name; only agent files and tool configuration export a default.',
}
const NO_BARE_ERROR = {
  selector: "ThrowStatement > NewExpression[callee.name='Error']",
  message: 'Throw new LabanError(CODE, details) with a code of contracts/error-table.ts.',
}
const NO_ENVIRONMENT = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'Only runtime/config/load.ts reads the environment; take a typed option instead.',
}
const NO_REAL_TIME = [
  {
    selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
    message: 'Time comes from the Clock port, so that a simulation can own it.',
  },
  {
    selector: 'CallExpression[callee.name=/^(setTimeout|setInterval|setImmediate)$/]',
    message: 'Timers come from the Clock port, so that a simulation can own them.',
  },
  {
    selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']",
    message: 'Randomness comes from the Clock port, so that a simulation can own it.',
  },
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: 'Time comes from the Clock port, so that a simulation can own it.',
  },
]

export default tseslint.config(
  { ignores: ['dist/', '.laban/', 'coverage/', 'contracts/generated/', '**/*.d.ts'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.recommendedTypeChecked],
    plugins: { jsdoc },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': ['error', { checkThenables: true }],
      // node:test style is not used; an arrow that returns a promise where void is expected loses its rejection.
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: true },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'separate-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all' },
      ],
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      // What was caught is thrown on as it is.
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
      // `async` without `await` is how an embedded adapter fits a port whose real one waits.
      '@typescript-eslint/require-await': 'off',
      // Ports and contexts are interfaces over plain objects, made to be taken apart.
      '@typescript-eslint/unbound-method': 'off',
      // Topics are a union filled by declaration merging: empty in one program, string literals in another.
      '@typescript-eslint/no-redundant-type-constituents': 'off',
      // Numbers in messages are meant to be printed.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      eqeqeq: 'error',
      'no-console': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      'max-lines': ['error', { max: 500 }],
      ...UNIT_LIMITS,
      'no-restricted-syntax': ['error', NO_DEFAULT_EXPORT],
      'jsdoc/require-jsdoc': ['error', DOCUMENTED],
    },
  },
  {
    // What users and adapters program against: their shapes are documented too.
    files: ['{contracts,tracing}/**/*.ts', 'runtime/*.ts', 'runtime/ports/**/*.ts'],
    rules: {
      'jsdoc/require-jsdoc': [
        'error',
        { ...DOCUMENTED, contexts: ['TSInterfaceDeclaration', 'TSTypeAliasDeclaration'] },
      ],
    },
  },
  {
    files: ['{runtime,contracts,tracing,cli,console}/**/*.{ts,tsx}'],
    rules: { 'no-restricted-syntax': ['error', NO_DEFAULT_EXPORT, NO_BARE_ERROR, NO_ENVIRONMENT] },
  },
  {
    // The clock is one; adapters of real servers live in real time, their libraries do too.
    files: ['runtime/**/*.ts'],
    ignores: [
      'runtime/ports/clock.ts',
      'runtime/testing/test-clock.ts',
      'runtime/config/load.ts',
      'runtime/adapters/{kafka,redis,remote}/**',
    ],
    rules: { 'no-restricted-syntax': ['error', NO_DEFAULT_EXPORT, NO_BARE_ERROR, NO_ENVIRONMENT, ...NO_REAL_TIME] },
  },
  {
    files: ['runtime/config/load.ts'],
    rules: { 'no-restricted-syntax': ['error', NO_DEFAULT_EXPORT, NO_BARE_ERROR] },
  },
  {
    // An agent file is its agent: `export default defineAgent({...})`.
    files: ['services/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', NO_BARE_ERROR, NO_ENVIRONMENT] },
  },
  {
    files: ['infra/**/*.ts', 'docs/**/*.ts'],
    rules: { 'jsdoc/require-jsdoc': 'off' },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts', '**/*.test.ts'],
    rules: {
      'jsdoc/require-jsdoc': 'off',
      // A describe block is a function; its length says nothing.
      'max-lines-per-function': 'off',
      'max-lines': ['error', { max: 400 }],
      // Tests write agents inline, and agents are defaults.
      'no-restricted-syntax': 'off',
      // Type tests say what must not compile.
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': 'allow-with-description' }],
    },
  },
  {
    // What they measured is part of what they are for.
    files: ['test/e2e/**/*.ts', 'bench/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.config.ts', '**/*.config.js'],
    rules: { 'no-restricted-syntax': 'off', 'max-lines-per-function': 'off' },
  },
  {
    files: ['**/*.js'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly' } },
  },
)
