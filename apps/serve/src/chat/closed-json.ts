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
  const whole = endsOf(text);
  const sure = text.slice(0, whole.safe);
  return [text + whole.closers, sure + endsOf(sure).closers];
}

/** What closes a text, and the last place where a value may end. */
function endsOf(text: string): { closers: string; safe: number } {
  const stack: string[] = [];
  let safe = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (inString) {
      if (character === '\\') at++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === ',') safe = at;
    else if (character === '}' || character === ']') stack.pop();
    else if (character === '{' || character === '[') {
      stack.push(character === '{' ? '}' : ']');
      safe = at + 1;
    }
  }
  return { closers: (inString ? '"' : '') + stack.reverse().join(''), safe };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
