// Jinja's statements, as far as chat templates may have them: nothing that reads other templates.
import {
  parseArguments,
  parseExpression,
  parseFilter,
  parseOr,
  parsePrimary,
  parseTuple,
} from './expression-parser.ts';
import { tokenize } from './lexer.ts';
import type { Block, Expression, Filter, Macro, Parameter, Statement, Target } from './syntax.ts';
import { TokenStream } from './token-stream.ts';

/** Throws an error that says what is wrong, and in which line. */
export function parseTemplate(template: string): Block {
  const stream = new TokenStream(tokenize(template));
  const block = parseBlock(stream, []);
  if (stream.peek()) stream.fail('Unexpected end of a block');
  return block;
}

/** Up to a block that begins with one of `ends`, whose name is not read. */
function parseBlock(stream: TokenStream, ends: readonly string[]): Block {
  const block: Statement[] = [];
  for (;;) {
    const token = stream.peek();
    if (!token) {
      if (ends.length > 0) stream.fail(`Expected '${ends.join("' or '")}'`);
      return block;
    }
    if (token.type === 'data') block.push({ type: 'data', text: stream.next().value });
    else if (token.type === 'begin' && token.value === 'print') {
      stream.next();
      block.push({ type: 'print', value: parseTuple(stream, parseExpression) });
      stream.expect('end');
    } else {
      stream.expect('begin', 'block');
      if (ends.length > 0 && stream.isName(...ends)) return block;
      block.push(parseStatement(stream));
    }
  }
}

/** The rest of a block's head, and what is between it and `end`. */
function parseBody(stream: TokenStream, end: string): Block {
  stream.expect('end');
  const body = parseBlock(stream, [end]);
  stream.next();
  return body;
}

function parseStatement(stream: TokenStream): Statement {
  const statement = parseHead(stream);
  stream.expect('end');
  return statement;
}

/** A statement as far as the mark that ends its last block. */
function parseHead(stream: TokenStream): Statement {
  const name = stream.expect('name').value;
  switch (name) {
    case 'break':
    case 'continue':
      return { type: name };
    case 'if':
      return parseIf(stream);
    case 'for':
      return parseFor(stream);
    case 'set':
      return parseSet(stream);
    case 'macro': {
      const called = stream.expect('name').value;
      const parameters = parseParameters(stream);
      return { type: 'macro', macro: { name: called, parameters, body: parseBody(stream, 'endmacro') } };
    }
    case 'call': {
      const parameters = stream.isOperator('(') ? parseParameters(stream) : [];
      const call = parseExpression(stream);
      if (call.type !== 'call') return stream.fail('Expected a call');
      const caller: Macro = { name: 'caller', parameters, body: parseBody(stream, 'endcall') };
      return { type: 'call-block', call, caller };
    }
    case 'filter':
      return { type: 'filter-block', filters: parseFilterChain(stream), body: parseBody(stream, 'endfilter') };
    case 'with':
      return parseWith(stream);
    case 'generation':
      return { type: 'generation', body: parseBody(stream, 'endgeneration') };
    default:
      return stream.fail(`Unknown statement '${name}'`);
  }
}

function parseIf(stream: TokenStream): Statement {
  const test = parseTuple(stream, parseOr);
  stream.expect('end');
  const body = parseBlock(stream, ['elif', 'else', 'endif']);
  const { value } = stream.next();
  if (value === 'elif') return { type: 'if', test, body, otherwise: [parseIf(stream)] };
  return { type: 'if', test, body, otherwise: value === 'else' ? parseBody(stream, 'endif') : [] };
}

function parseFor(stream: TokenStream): Statement {
  const target = parseTarget(stream, () => stream.isName('in'));
  stream.expect('name', 'in');
  const items = parseTuple(stream, parseOr, () => stream.is('end') || stream.isName('recursive', 'if'));
  const test = stream.skip('name', 'if') ? parseExpression(stream) : undefined;
  const recursive = stream.skip('name', 'recursive');
  stream.expect('end');
  const body = parseBlock(stream, ['else', 'endfor']);
  const otherwise = stream.next().value === 'else' ? parseBody(stream, 'endfor') : [];
  return { type: 'for', target, items, test, recursive, body, otherwise };
}

function parseSet(stream: TokenStream): Statement {
  const target = parseTarget(stream, () => stream.isOperator('=', '|') || stream.is('end'));
  if (stream.skip('operator', '=')) return { type: 'set', target, value: parseTuple(stream, parseExpression) };
  const filters = stream.skip('operator', '|') ? parseFilterChain(stream) : [];
  return { type: 'set-block', target, filters, body: parseBody(stream, 'endset') };
}

function parseWith(stream: TokenStream): Statement {
  const set: (readonly [Target, Expression])[] = [];
  while (!stream.is('end')) {
    if (set.length > 0) stream.expect('operator', ',');
    const target = parseTarget(stream, () => stream.isOperator('='));
    stream.expect('operator', '=');
    set.push([target, parseExpression(stream)]);
  }
  return { type: 'with', set, body: parseBody(stream, 'endwith') };
}

function parseFilterChain(stream: TokenStream): Filter[] {
  const filters = [parseFilter(stream)];
  while (stream.skip('operator', '|')) filters.push(parseFilter(stream));
  return filters;
}

function parseTarget(stream: TokenStream, ends: () => boolean): Target {
  const primary = (): Expression => {
    const value = parsePrimary(stream);
    if (!stream.skip('operator', '.')) return value;
    return { type: 'attribute', of: value, name: stream.expect('name').value };
  };
  return asTarget(stream, parseTuple(stream, primary, ends));
}

function asTarget(stream: TokenStream, value: Expression): Target {
  if (value.type === 'name') return value;
  if (value.type === 'tuple') return { type: 'tuple', items: value.items.map((one) => asTarget(stream, one)) };
  if (value.type === 'attribute' && value.of.type === 'name') return { ...value, of: value.of };
  return stream.fail('Nothing can be assigned to this');
}

function parseParameters(stream: TokenStream): Parameter[] {
  const given = parseArguments(stream);
  return given.map(({ name, spread, value }): Parameter => {
    if (name !== undefined) return { name, otherwise: value };
    if (spread !== undefined || value.type !== 'name') return stream.fail('Expected the name of a parameter');
    return { name: value.name };
  });
}
