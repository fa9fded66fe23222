// Claude Code puts a line of its own at the head of the system prompt, with a number that is another one each time
// (`x-anthropic-billing-header: cc_version=…; cch=…`). It is for Anthropic's accounts. Models have no use for it, and in a
// prompt it would hide from the cache that all the rest is what it was: it is left out.
const line = /^x-anthropic-billing-header:[^\n]*(\n|$)/;

export const withoutBillingHeader = (text: string): string => text.replace(line, '');
