// Where a sequence with a state of fixed size keeps a snapshot of it. Such a state cannot be taken back to an earlier
// token, so a later request can only go on where somebody kept it: behind the messages of a chat, since the next turn repeats
// them (and not always what came after: thinking is often left out); shortly before the end of a prompt, for who asks the same
// again; at its end; and every so many tokens, for texts that have no messages. The end of the reply is kept when the sequence ends.

/** Between two that nobody asked for. */
const EVERY = 1024;
/** Of the message ends in one prompt the last ones are kept: each interrupts the reading and takes as much memory. */
const MOST_MESSAGES = 8;
/** A prompt asked again computes so many tokens at most. */
const NEAR_END = 32;

/**
 * Positions (tokens before them), rising, all within the prompt.
 * @param messageEnds positions behind which a message ends
 */
export function checkpointsOf(promptTokens: number, messageEnds: readonly number[]): number[] {
  const within = messageEnds.filter((end) => end > 0 && end < promptTokens).slice(-MOST_MESSAGES);
  const positions = new Set(within);
  for (let position = EVERY; position < promptTokens; position += EVERY) positions.add(position);
  const last = Math.max(0, ...positions);
  if (promptTokens - last > NEAR_END) positions.add(promptTokens - 1);
  return [...positions.add(promptTokens)].sort((a, b) => a - b);
}
