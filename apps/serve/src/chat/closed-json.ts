// The value of a JSON text that was cut off (a call that met max_tokens): strings, lists and objects that are open end
// where the text does, and what cannot be told yet (half a number, a key without a value) is left out. Anthropic's SDKs
// do the same to streams.

/** An object where the text is no beginning of JSON. */
export function closedJson(text: string): unknown {
  return (
    parsed(text) ??
    candidates(text)
      .map(parsed)
      .find((value) => value !== undefined) ??
    {}
  );
}

/** The text with its ends closed, as a whole and up to the last place that a value may end at. */
function candidates(text: string): string[] {
  const stack: string[] = [];
  let safe = { at: 0, closers: '' };
  let inString = false;
  const closers = (): string => stack.toReversed().join('');
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (inString) {
      if (character === '\\') at++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === ',') safe = { at, closers: closers() };
    else if (character === '}' || character === ']') stack.pop();
    else if (character === '{' || character === '[') {
      stack.push(character === '{' ? '}' : ']');
      safe = { at: at + 1, closers: closers() };
    }
  }
  return [text + (inString ? '"' : '') + closers(), text.slice(0, safe.at) + safe.closers];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
