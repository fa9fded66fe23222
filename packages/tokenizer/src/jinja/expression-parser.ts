// Jinja's expressions, in its own precedence.
import { unescaped } from './escapes.ts';
import type { Argument, Comparison, Expression, Filter } from './syntax.ts';
import type { TokenStream } from './token-stream.ts';

/** `value if test else other` */
export function parseExpression(stream: TokenStream): Expression {
  let value = parseOr(stream);
  while (stream.skip('name', 'if')) {
    const test = parseOr(stream);
    const otherwise = stream.skip('name', 'else') ? parseExpression(stream) : undefined;
    value = { type: 'condition', test, value, otherwise };
  }
  return value;
}

export function parseOr(stream: TokenStream): Expression {
  let left = parseAnd(stream);
  while (stream.skip('name', 'or')) left = { type: 'or', left, right: parseAnd(stream) };
  return left;
}

function parseAnd(stream: TokenStream): Expression {
  let left = parseNot(stream);
  while (stream.skip('name', 'and')) left = { type: 'and', left, right: parseNot(stream) };
  return left;
}

function parseNot(stream: TokenStream): Expression {
  return stream.skip('name', 'not') ? { type: 'not', operand: parseNot(stream) } : parseComparison(stream);
}

function parseComparison(stream: TokenStream): Expression {
  const first = parseSum(stream);
  const rest: Comparison['rest'][number][] = [];
  for (;;) {
    const operator = comparisonHere(stream);
    if (operator === undefined) return rest.length === 0 ? first : { type: 'comparison', first, rest };
    rest.push({ operator, operand: parseSum(stream) });
  }
}

function comparisonHere(stream: TokenStream): string | undefined {
  if (stream.isOperator('==', '!=', '<', '<=', '>', '>=')) return stream.next().value;
  if (stream.skip('name', 'in')) return 'in';
  const behind = stream.peek(1);
  if (!stream.isName('not') || behind?.type !== 'name' || behind.value !== 'in') return undefined;
  stream.next();
  stream.next();
  return 'not in';
}

/** Operators of one rank, from left to right. */
const ranked =
  (operators: readonly string[], inner: (stream: TokenStream) => Expression) =>
  (stream: TokenStream): Expression => {
    let left = inner(stream);
    while (stream.isOperator(...operators)) {
      left = { type: 'calculation', operator: stream.next().value, left, right: inner(stream) };
    }
    return left;
  };

const parsePower = ranked(['**'], (stream) => parseUnary(stream, true));
const parseProduct = ranked(['*', '/', '//', '%'], parsePower);
const parseJoined = ranked(['~'], parseProduct);
const parseSum = ranked(['+', '-'], parseJoined);

/** Filters bind to what has its sign already. */
function parseUnary(stream: TokenStream, withFilters: boolean): Expression {
  const value: Expression = stream.isOperator('-', '+')
    ? { type: 'sign', sign: stream.next().value, operand: parseUnary(stream, false) }
    : parsePostfix(stream, parsePrimary(stream));
  return withFilters ? parseFilters(stream, value) : value;
}

const constants: Readonly<Record<string, boolean | null>> = {
  ...{ true: true, True: true, false: false, False: false },
  ...{ none: null, None: null },
};

export function parsePrimary(stream: TokenStream): Expression {
  const token = stream.next();
  switch (token.type) {
    case 'name':
      return Object.hasOwn(constants, token.value)
        ? { type: 'constant', value: constants[token.value]! }
        : { type: 'name', name: token.value };
    case 'text': {
      let text = unescaped(token.value);
      while (stream.is('text')) text += unescaped(stream.next().value);
      return { type: 'text', text };
    }
    case 'integer':
      return { type: 'constant', value: Number(token.value.replaceAll('_', '')) };
    case 'float':
      return { type: 'float', value: Number(token.value.replaceAll('_', '')) };
    case 'operator':
      if (token.value === '(') {
        const inner = parseTuple(stream, parseExpression, () => stream.isOperator(')'), true);
        stream.expect('operator', ')');
        return inner;
      }
      if (token.value === '[') return { type: 'list', items: listed(stream, ']', parseExpression) };
      if (token.value === '{') return { type: 'dict', entries: listed(stream, '}', parseEntry) };
  }
  return stream.fail(`Unexpected '${token.value}'`);
}

function parseEntry(stream: TokenStream): readonly [Expression, Expression] {
  const key = parseExpression(stream);
  stream.expect('operator', ':');
  return [key, parseExpression(stream)];
}

/** Items between commas, one of which may be too many, up to a bracket. */
function listed<T>(stream: TokenStream, close: string, parse: (stream: TokenStream) => T): T[] {
  const items: T[] = [];
  while (!stream.isOperator(close)) {
    if (items.length > 0) stream.expect('operator', ',');
    if (stream.isOperator(close)) break;
    items.push(parse(stream));
  }
  stream.expect('operator', close);
  return items;
}

/** One expression, or several with commas between and maybe behind them. */
export function parseTuple(
  stream: TokenStream,
  parse: (stream: TokenStream) => Expression,
  ends: () => boolean = () => stream.is('end'),
  mayBeEmpty = false,
): Expression {
  const items: Expression[] = [];
  let many = mayBeEmpty && ends();
  while (!ends()) {
    items.push(parse(stream));
    if (!stream.skip('operator', ',')) break;
    many = true;
  }
  if (many) return { type: 'tuple', items };
  return items[0] ?? stream.fail('Expected an expression');
}

function parsePostfix(stream: TokenStream, value: Expression): Expression {
  for (;;) {
    if (stream.skip('operator', '.')) value = parseAttribute(stream, value);
    else if (stream.skip('operator', '[')) value = parseSubscript(stream, value);
    else if (stream.isOperator('(')) value = { type: 'call', called: value, args: parseArguments(stream) };
    else return value;
  }
}

function parseAttribute(stream: TokenStream, of: Expression): Expression {
  const token = stream.next();
  if (token.type === 'name') return { type: 'attribute', of, name: token.value };
  if (token.type !== 'integer') stream.fail('Expected a name or a number behind the dot');
  return { type: 'item', of, key: { type: 'constant', value: Number(token.value) } };
}

function parseSubscript(stream: TokenStream, of: Expression): Expression {
  const bounds: (Expression | undefined)[] = [];
  const bound = () => (stream.isOperator(':', ']') ? undefined : parseExpression(stream));
  bounds.push(bound());
  while (bounds.length < 3 && stream.skip('operator', ':')) bounds.push(bound());
  stream.expect('operator', ']');
  if (bounds.length > 1) return { type: 'slice', of, bounds };
  return { type: 'item', of, key: bounds[0] ?? stream.fail('Expected an expression between the brackets') };
}

export function parseArguments(stream: TokenStream): Argument[] {
  stream.expect('operator', '(');
  return listed(stream, ')', () => {
    for (const spread of ['**', '*'] as const) {
      if (stream.skip('operator', spread)) return { spread, value: parseExpression(stream) };
    }
    const behind = stream.peek(1);
    if (!stream.is('name') || behind?.type !== 'operator' || behind.value !== '=') {
      return { value: parseExpression(stream) };
    }
    const name = stream.next().value;
    stream.next();
    return { name, value: parseExpression(stream) };
  });
}

function parseFilters(stream: TokenStream, of: Expression): Expression {
  for (;;) {
    if (stream.skip('operator', '|')) of = { type: 'filter', of, filter: parseFilter(stream) };
    else if (stream.skip('name', 'is')) of = parseTest(stream, of);
    else if (stream.isOperator('(')) of = { type: 'call', called: of, args: parseArguments(stream) };
    else return of;
  }
}

/** Behind the bar. */
export function parseFilter(stream: TokenStream): Filter {
  const name = stream.expect('name').value;
  return { name, args: stream.isOperator('(') ? parseArguments(stream) : [] };
}

/** What may stand behind a test that has no argument. */
const behindTest = ['else', 'or', 'and', 'is'];

function parseTest(stream: TokenStream, of: Expression): Expression {
  const negated = stream.skip('name', 'not');
  const name = stream.expect('name').value;
  const test = (args: readonly Argument[]): Expression => ({ type: 'test', of, test: { name, args }, negated });
  if (stream.isOperator('(')) return test(parseArguments(stream));
  const argument =
    stream.is('text') ||
    stream.is('integer') ||
    stream.is('float') ||
    stream.isOperator('[', '{') ||
    (stream.is('name') && !stream.isName(...behindTest));
  return test(argument ? [{ value: parsePostfix(stream, parsePrimary(stream)) }] : []);
}
