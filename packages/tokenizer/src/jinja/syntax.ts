// A template as a tree.

export interface Name {
  readonly type: 'name';
  readonly name: string;
}

export type Expression =
  | Name
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'constant'; readonly value: number | boolean | null }
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'list' | 'tuple'; readonly items: readonly Expression[] }
  | { readonly type: 'dict'; readonly entries: readonly (readonly [key: Expression, value: Expression])[] }
  | { readonly type: 'attribute'; readonly of: Expression; readonly name: string }
  | { readonly type: 'item'; readonly of: Expression; readonly key: Expression }
  | { readonly type: 'slice'; readonly of: Expression; readonly bounds: readonly (Expression | undefined)[] }
  | Call
  | { readonly type: 'not'; readonly operand: Expression }
  | { readonly type: 'sign'; readonly sign: string; readonly operand: Expression }
  | { readonly type: 'calculation'; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly type: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | Comparison
  | { readonly type: 'filter'; readonly of: Expression; readonly filter: Filter }
  | { readonly type: 'test'; readonly of: Expression; readonly test: Filter; readonly negated: boolean }
  | {
      readonly type: 'condition';
      readonly test: Expression;
      readonly value: Expression;
      readonly otherwise: Expression | undefined;
    };

export interface Call {
  readonly type: 'call';
  readonly called: Expression;
  readonly args: readonly Argument[];
}

/** `a < b < c`: all hold. */
export interface Comparison {
  readonly type: 'comparison';
  readonly first: Expression;
  readonly rest: readonly { readonly operator: string; readonly operand: Expression }[];
}

/** The name of a filter or a test, and what it is given. */
export interface Filter {
  readonly name: string;
  readonly args: readonly Argument[];
}

export interface Argument {
  /** `*value` and `**value` */
  readonly spread?: '*' | '**';
  readonly name?: string;
  readonly value: Expression;
}

/** What is assigned to: names, names in brackets, an attribute of a namespace. */
export type Target =
  | Name
  | { readonly type: 'tuple'; readonly items: readonly Target[] }
  | { readonly type: 'attribute'; readonly of: Name; readonly name: string };

export interface Parameter {
  readonly name: string;
  readonly otherwise?: Expression;
}

export type Block = readonly Statement[];

export type Statement =
  | { readonly type: 'data'; readonly text: string }
  | { readonly type: 'print'; readonly value: Expression }
  | { readonly type: 'break' | 'continue' }
  | { readonly type: 'if'; readonly test: Expression; readonly body: Block; readonly otherwise: Block }
  | For
  | { readonly type: 'set'; readonly target: Target; readonly value: Expression }
  | { readonly type: 'set-block'; readonly target: Target; readonly filters: readonly Filter[]; readonly body: Block }
  | { readonly type: 'macro'; readonly macro: Macro }
  | { readonly type: 'call-block'; readonly call: Call; readonly caller: Macro }
  | { readonly type: 'filter-block'; readonly filters: readonly Filter[]; readonly body: Block }
  | { readonly type: 'with'; readonly set: readonly (readonly [Target, Expression])[]; readonly body: Block }
  /** Marks what the assistant says, for training. */
  | { readonly type: 'generation'; readonly body: Block };

export interface For {
  readonly type: 'for';
  readonly target: Target;
  readonly items: Expression;
  readonly test: Expression | undefined;
  readonly recursive: boolean;
  readonly body: Block;
  readonly otherwise: Block;
}

export interface Macro {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly body: Block;
}
