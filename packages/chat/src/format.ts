// What is known of a model's chat format: plain data, read off its template (analysis/) or taken from a row of the table
// (analysis/known-formats.ts). Prompts, replies and constraints are all made from it.
//
// Marks are texts. White space in them and around them is a matter of taste to models, so readers take any there, except
// right around the raw value of a parameter.

export interface ChatFormat {
  readonly reasoning?: ReasoningFormat;
  readonly content?: ContentFormat;
  readonly calls?: CallFormat;
  readonly thinking?: ThinkingSwitch;
  /** Replies are messages with headers that say where each goes, as in gpt-oss. */
  readonly channels?: 'harmony';
  readonly recipients?: RecipientsFormat;
  readonly messages: MessageShape;
  /** Why something is not there, for a person. */
  readonly unseen: { readonly reasoning?: string; readonly calls?: string; readonly thinking?: string };
}

export interface ReasoningFormat {
  readonly open: string;
  readonly close: string;
}

/** What the template writes around an answer, where it writes something. */
export interface ContentFormat {
  readonly open: string;
  readonly close: string;
  /** Only around what is said in front of calls (Llama 4). */
  readonly beforeCalls?: true;
}

/** Replies are messages with headers that say who each is for. The prompt ends with `begin`. */
export interface RecipientsFormat {
  /** What begins a header, in front of `beforeName name afterName`. */
  readonly begin: string;
  readonly beforeName: string;
  readonly afterName: string;
  /** The name in the header of an answer, and of reasoning; in that of a call it is the tool's. */
  readonly content: string;
  readonly reasoning?: string;
  /** What ends a message, and the last one. */
  readonly end: string;
  readonly lastEnd: string;
  /** The call behind its header; undefined: its arguments as JSON. */
  readonly inner?: CallFormat;
}

/** Calls of one reply: `section.open call (separator call)* section.close`, a call being `open body close`. */
export interface CallFormat {
  readonly section: { readonly open: string; readonly close: string };
  readonly open: string;
  readonly close: string;
  readonly separator: string;
  /** Other beginnings that the model was trained on, and what closes them. */
  readonly otherOpens?: readonly string[];
  readonly otherCloses?: readonly string[];
  /** What opens Python, of those. */
  readonly codeOpen?: string;
  /** Whether one reply may hold several. */
  readonly several: boolean;
  readonly body: CallBody;
}

/** Nothing tells a call from an answer but what it is. */
export const isBare = ({ open, section }: CallFormat): boolean => open.trim() === '' && section.open.trim() === '';

export type CallBody = JsonBody | NamedBody | ParametersBody | PythonBody;

/** `{"name": …, "arguments": …}`, or `{name: arguments}`. */
export interface JsonBody {
  readonly kind: 'json';
  /** The calls are items of a JSON list, whose brackets belong to the body. */
  readonly list: boolean;
  /** The field that holds the other two. */
  readonly within?: string;
  /** Undefined: the name is the key and the arguments are its value. */
  readonly name?: string;
  readonly arguments?: string;
  /** Fields that the template writes before the name, so that a constraint asks for them too. */
  readonly before: readonly string[];
  /** Fields behind the arguments, which a constraint allows. */
  readonly after: readonly string[];
}

/** The name, then the arguments as one object. */
export interface NamedBody {
  readonly kind: 'named';
  readonly beforeName: Mark;
  readonly afterName: Mark;
  readonly notation: ObjectNotation;
}

/** JSON, or what resembles it. */
export interface ObjectNotation {
  /** What stands around texts in place of quotation marks. */
  readonly quote?: string;
  /** Keys have no quotation marks. */
  readonly bareKeys: boolean;
}

/** The name, then parameters one by one, texts as they are. */
export interface ParametersBody {
  readonly kind: 'parameters';
  readonly beforeName: Mark;
  readonly afterName: Mark;
  readonly keyOpen: string;
  /** Between the key and its value. Its hole, if it has one, says what the value is. */
  readonly valueOpen: Mark;
  /** What the hole says of texts, and all that it may say. */
  readonly kinds?: { readonly text: string; readonly all: readonly string[] };
  /** `keyHole` stands for the key. */
  readonly valueClose: string;
  /** How the template writes true, false and null. */
  readonly spelling: 'json' | 'python';
  /** Texts may stand in `<![CDATA[…]]>`. */
  readonly cdata?: true;
}

/** `name(key='value')`. */
export interface PythonBody {
  readonly kind: 'python';
  readonly list: boolean;
}

/** Texts around holes: what stands in a hole differs from call to call (an id, a number). */
export type Mark = readonly string[];

export const cdataOpen = '<![CDATA[';
export const cdataClose = ']]>';

/** The key of a parameter inside `valueClose`. */
export const keyHole = '\u0000';

/** What ends the value of `key`. The key comes from a tool or a reply, so `$&` in it is text. */
export const valueCloseOf = (body: ParametersBody, key: string): string => body.valueClose.replace(keyHole, () => key);

export interface ThinkingSwitch {
  /** The template's variable, and what turns thinking on and off. */
  readonly name?: string;
  readonly on?: unknown;
  readonly off?: unknown;
  /** The template's variable for how much, with the values that make a difference. */
  readonly effort?: { readonly name: string; readonly values: readonly string[] };
}

/** How the template wants earlier messages. */
export interface MessageShape {
  readonly arguments: 'object' | 'text';
  /** What stands for the content of a message that has only calls. */
  readonly noContent: '' | null;
  /** The field that earlier reasoning is read from. */
  readonly reasoning: string;
  /** Tool results come under this role. */
  readonly toolRole: string;
  /** Tools are read from the variable `functions`, as JSON text (firefunction). */
  readonly toolsAsFunctions?: true;
  /** The template refuses a tool without a description: it gets an empty one, as llama.cpp gives it to all. */
  readonly needsDescription: boolean;
  /**
   * What ids of calls must be: nine letters and digits, where the template refuses others (Mistral's); the name of the tool and a
   * number, where it writes nothing else of a call (Kimi's).
   */
  readonly ids?: 'short' | 'named';
  readonly instructions: InstructionPlace;
}

/** Where the template writes messages of the role `system`: wherever they stand, at the beginning alone, or not at all. */
export type InstructionPlace = 'anywhere' | 'first' | 'nowhere';

/** The name of a function and the JSON schema of its arguments, as in OpenAI's API. */
export interface ToolDefinition {
  readonly type: 'function';
  readonly function: {
    readonly name: string;
    readonly description?: string | null;
    readonly parameters?: unknown;
    readonly strict?: boolean | null;
  };
}
