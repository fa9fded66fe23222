// What speculation has done since the model was loaded.
export interface SpeculationStats {
  /** Tokens that were guessed and looked at, and those that were right. */
  readonly guessed: number;
  readonly accepted: number;
  /** Milliseconds that making the guesses took. */
  readonly guessMs: number;
  /** How many times as fast steps with guesses were as the same tokens would have been without, by what steps cost. */
  readonly speedup: number;
}
