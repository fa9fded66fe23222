// Runs the statements of a template.

import { Evaluator } from './evaluator.ts';
import { loopStates } from './loop-state.ts';
import { printed } from './print.ts';
import { Scope } from './scope.ts';
import type { Argument, Block, Filter, For, Macro, Parameter, Statement, Target } from './syntax.ts';
import { Attributes, Callable, itemsOf, Missing, TemplateError, Tuple, truth, type Value } from './values.ts';

/** How a block ended. */
type End = 'behind' | 'break' | 'continue';

/** Statements after which something else may follow than what stands behind them. */
type Flow = Extract<Statement, { type: 'break' | 'continue' | 'if' | 'with' | 'generation' }>;

/** What a block has written so far. */
class Written {
  readonly #parts: string[] = [];
  length = 0;

  add(text: string): void {
    this.#parts.push(text);
    this.length += text.length;
  }

  get text(): string {
    return this.#parts.join('');
  }
}

export class Interpreter extends Evaluator {
  run(program: Block, scope: Scope): string {
    return this.#text(program, scope);
  }

  #text(block: Block, scope: Scope): string {
    const out = new Written();
    this.#block(block, scope, out);
    return out.text;
  }

  #block(block: Block, scope: Scope, out: Written): End {
    for (const statement of block) {
      this.budget.step();
      const end = this.#statement(statement, scope, out);
      this.budget.text(out.length);
      if (end !== 'behind') return end;
    }
    return 'behind';
  }

  #statement(node: Statement, scope: Scope, out: Written): End {
    switch (node.type) {
      case 'break':
      case 'continue':
        return node.type;
      case 'if':
        return this.#block(truth(this.evaluate(node.test, scope)) ? node.body : node.otherwise, scope, out);
      case 'with': {
        const inner = new Scope(scope);
        for (const [target, value] of node.set) this.#assign(target, this.evaluate(value, scope), inner);
        return this.#block(node.body, inner, out);
      }
      case 'generation':
        return this.#block(node.body, new Scope(scope), out);
      default:
        this.#write(node, scope, out);
        return 'behind';
    }
  }

  #write(node: Exclude<Statement, Flow>, scope: Scope, out: Written): void {
    switch (node.type) {
      case 'data':
        out.add(node.text);
        return;
      case 'print':
        out.add(printed(this.evaluate(node.value, scope)));
        return;
      case 'for':
        this.#loop(node, this.evaluate(node.items, scope), 0, scope, out);
        return;
      case 'set':
        this.#assign(node.target, this.evaluate(node.value, scope), scope);
        return;
      case 'set-block':
        this.#assign(node.target, this.#filtered(node, scope), scope);
        return;
      case 'filter-block':
        out.add(printed(this.#filtered(node, scope)));
        return;
      case 'macro':
        scope.set(node.macro.name, this.#macro(node.macro, scope));
        return;
      case 'call-block': {
        const inner = new Scope(scope);
        inner.set('caller', this.#macro(node.caller, scope));
        const caller: Argument = { name: 'caller', value: { type: 'name', name: 'caller' } };
        const called = this.evaluate(node.call.called, scope);
        out.add(printed(this.call(called, [...node.call.args, caller], inner)));
        return;
      }
    }
  }

  /** What a block writes, through filters. */
  #filtered({ filters, body }: { filters: readonly Filter[]; body: Block }, scope: Scope): Value {
    const text = this.#text(body, new Scope(scope));
    return filters.reduce<Value>((value, filter) => this.applyFilter(filter, value, scope), text);
  }

  #assign(to: Target, value: Value, scope: Scope): void {
    if (to.type === 'name') {
      scope.set(to.name, value);
      return;
    }
    if (to.type === 'tuple') {
      const items = itemsOf(value);
      if (items.length !== to.items.length) {
        const what = items.length < to.items.length ? 'not enough' : 'too many';
        throw new TemplateError(`${what} values to unpack (expected ${to.items.length}, got ${items.length})`);
      }
      for (const [i, part] of to.items.entries()) this.#assign(part, items[i]!, scope);
      return;
    }
    const space = this.evaluate(to.of, scope);
    if (!(space instanceof Attributes && space.set)) {
      throw new TemplateError('cannot assign attribute on non-namespace object');
    }
    space.set(to.name, value);
  }

  #loop(node: For, over: Value, depth: number, scope: Scope, out: Written): void {
    const { target, test, body, otherwise } = node;
    const items = [...itemsOf(over)].filter((one) => {
      if (!test) return true;
      const round = new Scope(scope);
      this.#assign(target, one, round);
      return truth(this.evaluate(test, round));
    });
    if (items.length === 0) {
      this.#block(otherwise, new Scope(scope), out);
      return;
    }
    const again = ([inner = null]: readonly Value[]): Value => {
      const text = new Written();
      this.#loop(node, inner, depth + 1, scope, text);
      return text.text;
    };
    const stateOf = loopStates(items, depth, node.recursive ? again : undefined);
    for (const [i, one] of items.entries()) {
      this.budget.step();
      // A round sees nothing of what another has set.
      const round = new Scope(scope);
      round.set('loop', stateOf(i));
      this.#assign(target, one, round);
      if (this.#block(body, round, out) === 'break') return;
    }
  }

  #macro({ name, parameters, body }: Macro, scope: Scope): Callable {
    const takes = restOf(body);
    return new Callable(name, (placed, named) => {
      const inner = new Scope(scope);
      const rest = new Map(named);
      const caller = rest.get('caller');
      if (caller !== undefined) {
        rest.delete('caller');
        inner.set('caller', caller);
      }
      for (const [i, parameter] of parameters.entries()) this.#bind(parameter, placed[i], rest, inner);
      const [another] = rest.keys();
      if (takes.kwargs) inner.set('kwargs', new Map(rest));
      else if (another !== undefined) throw new TemplateError(`macro '${name}' takes no keyword argument '${another}'`);
      if (takes.varargs) inner.set('varargs', new Tuple(placed.slice(parameters.length)));
      else if (placed.length > parameters.length) {
        throw new TemplateError(`macro '${name}' takes not more than ${parameters.length} argument(s)`);
      }
      return this.#text(body, inner);
    });
  }

  #bind({ name, otherwise }: Parameter, placed: Value | undefined, named: Map<string, Value>, scope: Scope): void {
    const given = placed === undefined ? named.get(name) : placed;
    if (placed === undefined) named.delete(name);
    if (given !== undefined) scope.set(name, given);
    else if (otherwise) scope.set(name, this.evaluate(otherwise, scope));
    else scope.set(name, new Missing(`parameter '${name}' was not provided`));
  }
}

/** Which of the arguments that no parameter takes a macro asks for. It may be defined over and over, and is looked through once. */
function restOf(body: Block): Rest {
  const known = rests.get(body);
  if (known) return known;
  const rest = { varargs: mentions(body, 'varargs'), kwargs: mentions(body, 'kwargs') };
  rests.set(body, rest);
  return rest;
}

interface Rest {
  readonly varargs: boolean;
  readonly kwargs: boolean;
}
const rests = new WeakMap<Block, Rest>();

function mentions(node: unknown, name: string): boolean {
  if (typeof node !== 'object' || node === null) return false;
  const { type, name: called } = node as { type?: string; name?: unknown };
  return (type === 'name' && called === name) || Object.values(node).some((part) => mentions(part, name));
}
