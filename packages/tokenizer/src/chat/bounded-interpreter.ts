// Jinja evaluation within a budget, and with Python's meaning where the template library has JavaScript's.
//
// Every statement and expression passes through `evaluate`: counting there bounds loops, recursion by macros and nested
// expressions, and every intermediate text is seen there too, so its length is bounded.

import { QuernError } from '@quern/errors';
import { Interpreter, type Node, type RuntimeValue, type Scope } from './jinja.ts';
import type { OutputNode } from './marked-tree.ts';
import { extreme, pythonMethod, pythonMethodNames } from './python-methods.ts';
import { booleanValue, pythonEquals, pythonText, pythonType, stringValue } from './python-values.ts';

export interface TemplateLimits {
  /** Statements and expressions evaluated. */
  steps: number;
  /** Longest text, whole or halfway, in UTF-16 units. */
  characters: number;
}

const charactersPerStep = 4096;
/** Next to nothing for a conversation; a loop over long lists, each sorted, would otherwise take hours. */
const squareOfItemsPerStep = 2 ** 17;

/** Filters that turn whatever they get into text first. */
const textFilters = new Set(['capitalize', 'indent', 'lower', 'replace', 'string', 'title', 'trim', 'upper']);

export class BoundedInterpreter extends Interpreter {
  readonly #limits: TemplateLimits;
  #steps = 0;

  constructor(scope: Scope, limits: TemplateLimits) {
    super(scope);
    this.#limits = limits;
  }

  override evaluate(node: Node | undefined, scope: Scope): RuntimeValue {
    if (++this.#steps > this.#limits.steps) throw runaway(`did not end after ${this.#limits.steps} steps`);
    const value = this.#evaluateAsPython(node, scope) ?? super.evaluate(node, scope);
    this.#charge(value);
    return value;
  }

  /** Long values cost what it takes to make them or to go through them. */
  #charge({ type, value }: RuntimeValue): void {
    if (type === 'StringValue') {
      const { length } = value as string;
      if (length > this.#limits.characters) throw runaway(`writes more than ${this.#limits.characters} characters`);
      this.#steps += Math.floor(length / charactersPerStep);
    } else if (type === 'ArrayValue') {
      const { length } = value as readonly unknown[];
      this.#steps += Math.floor(length ** 2 / squareOfItemsPerStep);
    }
  }

  /** The value of a node whose meaning differs in Python, else undefined. */
  #evaluateAsPython(node: Node | undefined, scope: Scope): RuntimeValue | undefined {
    switch (node?.type) {
      case 'Known':
        return node.value as RuntimeValue;
      case 'Round':
        return stringValue('');
      case 'Output':
        return stringValue(pythonText(this.evaluate((node as OutputNode).expression, scope)));
      case 'BinaryExpression':
        return this.#evaluateBinary(node, scope);
      case 'MemberExpression': {
        const key = node.property as Node;
        if (!node.computed || key.type === 'SliceExpression') return undefined;
        const value = this.evaluate(key, scope);
        // What has no key has no value; the library fails.
        return value.type === 'UndefinedValue' ? value : super.evaluate({ ...node, property: known(value) }, scope);
      }
      case 'CallExpression':
        return this.#callMethod(node, scope);
      case 'FilterExpression': {
        const { type, value, callee } = node.filter as { type: string; value?: string; callee?: { value: string } };
        if (value === 'min' || value === 'max') {
          const operand = this.evaluate(node.operand as Node, scope);
          return operand.type === 'ArrayValue' ? extreme(value, operand) : super.evaluate(node, scope);
        }
        if (!textFilters.has((type === 'Identifier' ? value : callee?.value) as string)) return undefined;
        const operand = this.evaluate(node.operand as Node, scope);
        const text = operand.type === 'StringValue' ? operand : stringValue(pythonText(operand));
        return super.evaluate({ ...node, operand: known(text) }, scope);
      }
      default:
        return undefined;
    }
  }

  /** A method that Python has and the library has not. */
  #callMethod(node: Node, scope: Scope): RuntimeValue | undefined {
    const callee = node.callee as Node;
    const { type, value: name } = (callee.property ?? {}) as { type?: string; value?: string };
    if (callee.type !== 'MemberExpression' || callee.computed || type !== 'Identifier') return undefined;
    if (name === undefined || !pythonMethodNames.has(name)) return undefined;
    const object = this.evaluate(callee.object as Node, scope);
    const method = pythonMethod(object, name);
    if (!method) return undefined;
    const given = (node.args as Node[]).map((argument): [string | undefined, RuntimeValue] =>
      argument.type === 'KeywordArgumentExpression'
        ? [(argument.key as { value: string }).value, this.evaluate(argument.value as Node, scope)]
        : [undefined, this.evaluate(argument, scope)],
    );
    const result = method(
      given.flatMap(([key, value]) => (key === undefined ? [value] : [])),
      new Map(given.flatMap(([key, value]) => (key === undefined ? [] : [[key, value] as const]))),
    );
    this.#charge(object);
    return result;
  }

  #evaluateBinary(node: Node, scope: Scope): RuntimeValue | undefined {
    const operator = (node.operator as { value: string }).value;
    if (!['==', '!=', '+', '~'].includes(operator)) return undefined;
    const left = this.evaluate(node.left as Node, scope);
    const right = this.evaluate(node.right as Node, scope);
    if (operator === '==') return booleanValue(pythonEquals(left, right));
    if (operator === '!=') return booleanValue(!pythonEquals(left, right));
    if (operator === '~') return stringValue(pythonText(left) + pythonText(right));
    if ((left.type === 'StringValue') !== (right.type === 'StringValue')) {
      throw new Error(
        left.type === 'StringValue'
          ? `can only concatenate str (not "${pythonType(right)}") to str`
          : `unsupported operand type(s) for +: '${pythonType(left)}' and 'str'`,
      );
    }
    return super.evaluate({ ...node, left: known(left), right: known(right) }, scope);
  }
}

/** A node that has been evaluated already. */
function known(value: RuntimeValue): Node {
  return { type: 'Known', value };
}

const maxRange = 100_000;

/** Python's `range`, for lists that fit into memory. */
export function boundedRange(first: number, second?: number, step = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  if (step === 0) throw new Error('range() step must not be zero');
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (!(count <= maxRange)) throw runaway(`asks for a range of ${count} numbers`);
  return Array.from({ length: count }, (_, index) => start + index * step);
}

function runaway(what: string): QuernError {
  return new QuernError('chat-template-runaway', `The chat template ${what}.`, {
    remedy: 'Use another template, or a shorter conversation.',
  });
}
