// The value of an expression.
import { attribute, item, slice } from './attributes.ts';
import type { Budget } from './budget.ts';
import type { FilterTools } from './filters/filter.ts';
import { filterNamed } from './filters/index.ts';
import { calculate, comparisons, negated } from './operators.ts';
import type { Scope } from './scope.ts';
import type { Argument, Comparison, Expression, Filter } from './syntax.ts';
import { testNamed } from './tests.ts';
import {
  Attributes,
  Callable,
  Float,
  isDict,
  itemsOf,
  keyOf,
  Missing,
  type NamedValues,
  TemplateError,
  Tuple,
  truth,
  typeName,
  type Value,
  valueOr,
} from './values.ts';

type Given = readonly [placed: Value[], named: Map<string, Value>];

export class Evaluator implements FilterTools {
  protected readonly budget: Budget;

  constructor(budget: Budget) {
    this.budget = budget;
  }

  evaluate(node: Expression, scope: Scope): Value {
    this.budget.step();
    const value = this.#value(node, scope);
    this.budget.charge(value);
    return value;
  }

  #value(node: Expression, scope: Scope): Value {
    switch (node.type) {
      case 'name':
        return this.#named(node.name, scope);
      case 'text':
        return node.text;
      case 'constant':
        return node.value;
      case 'float':
        return new Float(node.value);
      case 'list':
        return node.items.map((one) => this.evaluate(one, scope));
      case 'tuple':
        return new Tuple(node.items.map((one) => this.evaluate(one, scope)));
      case 'dict':
        return new Map(
          node.entries.map(([key, value]) => [keyOf(this.evaluate(key, scope)), this.evaluate(value, scope)]),
        );
      case 'attribute':
        return attribute(this.evaluate(node.of, scope), node.name);
      case 'item':
        return item(this.evaluate(node.of, scope), this.evaluate(node.key, scope));
      case 'slice': {
        const bound = (one: Expression | undefined) => (one ? this.evaluate(one, scope) : null);
        const [start, stop, step] = node.bounds;
        return slice(this.evaluate(node.of, scope), bound(start), bound(stop), bound(step));
      }
      case 'call':
        return this.call(this.evaluate(node.called, scope), node.args, scope);
      case 'not':
        return !truth(this.evaluate(node.operand, scope));
      case 'sign':
        return negated(node.sign, this.evaluate(node.operand, scope));
      case 'calculation':
        return calculate(node.operator, this.evaluate(node.left, scope), this.evaluate(node.right, scope));
      case 'and':
      case 'or': {
        const left = this.evaluate(node.left, scope);
        return truth(left) === (node.type === 'or') ? left : this.evaluate(node.right, scope);
      }
      case 'comparison':
        return this.#compare(node, scope);
      case 'filter':
        return this.applyFilter(node.filter, this.evaluate(node.of, scope), scope);
      case 'test': {
        const value = this.evaluate(node.of, scope);
        const [placed] = this.arguments(node.test.args, scope);
        return testNamed(node.test.name)(value, valueOr(placed[0], null)) !== node.negated;
      }
      case 'condition': {
        if (truth(this.evaluate(node.test, scope))) return this.evaluate(node.value, scope);
        if (node.otherwise) return this.evaluate(node.otherwise, scope);
        return new Missing('the inline if-expression evaluated to false and no else section was defined');
      }
    }
  }

  #named(name: string, scope: Scope): Value {
    const value = scope.get(name);
    return value === undefined ? new Missing(`'${name}' is undefined`) : value;
  }

  protected call(called: Value, args: readonly Argument[], scope: Scope): Value {
    if (called instanceof Missing) throw new TemplateError(called.why);
    const call = called instanceof Attributes ? called.call : called instanceof Callable ? called.call : undefined;
    if (!call) throw new TemplateError(`'${typeName(called)}' object is not callable`);
    return call(...this.arguments(args, scope));
  }

  protected arguments(args: readonly Argument[], scope: Scope): Given {
    const placed: Value[] = [];
    const named = new Map<string, Value>();
    const name = (key: string, value: Value) => {
      if (named.has(key)) throw new TemplateError(`got multiple values for keyword argument '${key}'`);
      named.set(key, value);
    };
    for (const argument of args) {
      const value = this.evaluate(argument.value, scope);
      if (argument.name !== undefined) name(argument.name, value);
      else if (argument.spread === '*') placed.push(...itemsOf(value));
      else if (argument.spread === '**') {
        if (!isDict(value)) throw new TemplateError(`argument after ** must be a mapping, not ${typeName(value)}`);
        for (const [key, one] of value) name(String(key), one);
      } else placed.push(value);
    }
    return [placed, named];
  }

  /** `a < b < c` holds where both do; `b` is evaluated once. */
  #compare({ first, rest }: Comparison, scope: Scope): boolean {
    let left = this.evaluate(first, scope);
    return rest.every(({ operator, operand }) => {
      const right = this.evaluate(operand, scope);
      const holds = comparisons[operator]!(left, right);
      left = right;
      return holds;
    });
  }

  protected applyFilter({ name, args }: Filter, value: Value, scope: Scope): Value {
    return this.filter(name, value, ...this.arguments(args, scope));
  }

  filter(name: string, value: Value, placed: readonly Value[], named: NamedValues): Value {
    const result = filterNamed(name)(value, placed, named, this);
    this.budget.charge(result);
    return result;
  }
}
